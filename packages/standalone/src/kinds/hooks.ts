import { compilePolicy, type PolicySpec } from '../cel/index.ts';
import { badValue, required, unsupported } from '../registry/metadata.ts';
import type { HookContext, Hooks } from '../registry/resource.ts';
import { badRequest, type Cause } from '../http/status.ts';
import { at, child, clone, isObj, list, same, strings, text, time, type KubeObject } from '../object.ts';
import { customResourceDefinition } from './definitions.ts';

type Particular = Partial<Pick<Hooks, 'onCreate' | 'onUpdate' | 'validate' | 'unmanaged'>>;

const immutable = (field: string, value: unknown): Cause => badValue(field, value, 'field is immutable');

const namespaces: Particular = {
  onCreate: (object) => {
    object['spec'] = { ...child(object, 'spec'), finalizers: ['kubernetes'] };
    object['status'] = { phase: 'Active' };
    object.metadata.labels = {
      ...object.metadata.labels,
      'kubernetes.io/metadata.name': object.metadata.name,
    };
  },
  onUpdate: (object, old, context) => {
    if (context.subresource !== 'finalize') {
      object['spec'] = { ...child(object, 'spec'), finalizers: list(old, 'spec', 'finalizers') };
    }
    object.metadata.labels = { ...object.metadata.labels, 'kubernetes.io/metadata.name': old.metadata.name };
  },
};

const secrets: Particular = {
  onCreate: fillSecret,
  onUpdate: fillSecret,
  validate: (object, old) => {
    const causes: Cause[] = [];
    for (const value of Object.values(child(object, 'data'))) {
      if (typeof value === 'string' && !/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(value)) {
        const at = value.search(/[^A-Za-z0-9+/=\s]/);
        throw badRequest(
          `Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte ${Math.max(at, 0)}`,
        );
      }
    }
    if (old && object['type'] !== old['type']) causes.push(immutable('type', object['type']));
    if (old?.['immutable'] === true) {
      if (object['immutable'] !== true) {
        causes.push(forbidden('immutable', 'field is immutable when `immutable` is set'));
      }
      if (!same(object['data'], old['data'])) {
        causes.push(forbidden('data', 'field is immutable when `immutable` is set'));
      }
    }
    let size = 0;
    for (const [key, value] of Object.entries(child(object, 'data'))) {
      if (!/^[-._a-zA-Z0-9]+$/.test(key))
        causes.push(
          badValue(
            `data[${key}]`,
            key,
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
          ),
        );
      size += typeof value === 'string' ? Buffer.byteLength(value, 'base64') : 0;
    }
    if (size > 1024 * 1024) {
      causes.push({
        reason: 'FieldValueTooLong',
        message: 'Too long: may not be more than 1048576 bytes',
        field: 'data',
      });
    }
    return causes;
  },
};

function fillSecret(object: KubeObject): void {
  object['type'] ??= 'Opaque';
  const plain = child(object, 'stringData');
  if (Object.keys(plain).length > 0) {
    const data = { ...child(object, 'data') };
    for (const [key, value] of Object.entries(plain)) {
      data[key] = Buffer.from(String(value)).toString('base64');
    }
    object['data'] = data;
  }
  delete object['stringData'];
}

function forbidden(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field };
}

const configmaps: Particular = {
  validate: (object, old) => {
    if (old?.['immutable'] !== true) return [];
    const changed = ['data', 'binaryData'].filter((key) => !same(object[key], old[key]));
    return changed.map((key) => forbidden(key, 'field is immutable when `immutable` is set'));
  },
};

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'];

const nodes: Particular = {
  onCreate: (object) => {
    nodeTimes(object);
  },
  onUpdate: (object) => {
    nodeTimes(object);
  },
  validate: (object) => {
    const causes: Cause[] = [];
    const seen = new Set<string>();
    list(object, 'spec', 'taints').forEach((taint, i) => {
      const [key, effect] = [text(taint, 'key') ?? '', text(taint, 'effect') ?? ''];
      if (!EFFECTS.includes(effect))
        causes.push(unsupported(`metadata.taints[${i}].effect`, effect, EFFECTS));
      if (seen.has(`${key}:${effect}`)) {
        causes.push({
          reason: 'FieldValueDuplicate',
          message: `Duplicate value: ${JSON.stringify(taint)}: taints must be unique by key and effect pair`,
          field: `metadata.taints[${i}]`,
        });
      }
      seen.add(`${key}:${effect}`);
    });
    return causes;
  },
};

/** Go writes a time that is not set as null. */
function nodeTimes(node: KubeObject): void {
  for (const condition of list(node, 'status', 'conditions').filter(isObj)) {
    condition['lastHeartbeatTime'] ??= null;
    condition['lastTransitionTime'] ??= null;
  }
}

const events: Particular = {
  onCreate: eventTimes,
  onUpdate: eventTimes,
  validate: (object, old) => {
    const inside = object.metadata.namespace ?? '';
    const about =
      text(object, object.apiVersion === 'v1' ? 'involvedObject' : 'regarding', 'namespace') ?? '';
    if (old || (about || 'default') === inside) return [];
    return [badValue('involvedObject.namespace', about, 'does not match event.namespace')];
  },
};

function eventTimes(event: KubeObject): void {
  const names =
    event.apiVersion === 'v1'
      ? ['eventTime', 'firstTimestamp', 'lastTimestamp']
      : ['eventTime', 'deprecatedFirstTimestamp', 'deprecatedLastTimestamp'];
  for (const name of names) event[name] ??= null;
}

const roles: Particular = {
  validate: (object) => {
    const causes: Cause[] = [];
    const inNamespace = object.metadata.namespace !== undefined;
    list(object, 'rules').forEach((rule, i) => {
      const field = `rules[${i}]`;
      if (strings(rule, 'verbs').length === 0) {
        causes.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
      }
      const urls = strings(rule, 'nonResourceURLs');
      if (urls.length > 0) {
        if (inNamespace) {
          causes.push(
            badValue(`${field}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'),
          );
        }
        return;
      }
      if (strings(rule, 'apiGroups').length === 0) {
        causes.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
      }
      if (strings(rule, 'resources').length === 0) {
        causes.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
      }
    });
    return causes;
  },
};

const pods: Particular = {
  onCreate: (object) => {
    const spec = child(object, 'spec');
    const defaults = {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      serviceAccountName: 'default',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    };
    object['spec'] = { ...defaults, ...spec };
    object['status'] = { phase: 'Pending', qosClass: text(object, 'status', 'qosClass') ?? 'BestEffort' };
  },
};

const serviceaccounts: Particular = {};

const leases: Particular = {
  validate: (object) => {
    const seconds = at(object, 'spec', 'leaseDurationSeconds');
    return typeof seconds === 'number' && seconds <= 0
      ? [badValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
      : [];
  },
};

const CSR_USAGES = new Set(
  'signing,digital signature,content commitment,key encipherment,key agreement,data encipherment,cert sign,crl sign,encipher only,decipher only,any,server auth,client auth,code signing,email protection,s/mime,ipsec end system,ipsec tunnel,ipsec user,timestamping,ocsp signing,microsoft sgc,netscape sgc'.split(
    ',',
  ),
);

/** A decision stays, and there is one. */
function decisions(object: KubeObject, old: KubeObject): Cause[] {
  const causes: Cause[] = [];
  const types = (from: KubeObject): string[] =>
    list(from, 'status', 'conditions').map((c) => text(c, 'type') ?? '');
  const now = types(object);
  for (const type of ['Approved', 'Denied', 'Failed']) {
    if (types(old).includes(type) && !now.includes(type)) {
      causes.push(forbidden('status.conditions', `updates may not remove a condition of type "${type}"`));
    }
  }
  if (now.includes('Approved') && now.includes('Denied')) {
    causes.push(
      badValue(
        `status.conditions[${now.indexOf('Denied')}].type`,
        'Denied',
        'Approved and Denied conditions are mutually exclusive',
      ),
    );
  }
  return causes;
}

const certificatesigningrequests: Particular = {
  unmanaged: true,
  onCreate: (object, context) => {
    const { request, signerName, usages, expirationSeconds } = child(object, 'spec');
    object['spec'] = {
      groups: context.user.groups,
      ...(context.user.extra ? { extra: context.user.extra } : {}),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      request,
      signerName,
      ...(context.user.uid ? { uid: context.user.uid } : {}),
      usages,
      username: context.user.username,
    };
    object['status'] = {};
  },
  onUpdate: updateCsr,
  validate: (object, old) => {
    const causes: Cause[] = old ? decisions(object, old) : [];
    const spec = child(object, 'spec');
    const pem = Buffer.from(text(spec, 'request') ?? '', 'base64').toString('utf8');
    if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
      causes.push(
        badValue('spec.request', text(spec, 'request') ?? '', 'PEM block type must be CERTIFICATE REQUEST'),
      );
    }
    const usages = strings(spec, 'usages');
    if (usages.length === 0) causes.push(required('spec.usages'));
    usages.forEach((usage, i) => {
      if (!CSR_USAGES.has(usage))
        causes.push(unsupported(`spec.usages[${i}]`, usage, [...CSR_USAGES].sort()));
    });
    const signer = text(spec, 'signerName') ?? '';
    if (signer === '') causes.push(required('spec.signerName'));
    else if (!/^[a-z0-9][-a-z0-9.]*\/\S+$/.test(signer)) {
      causes.push(
        badValue(
          'spec.signerName',
          signer,
          'must be a fully qualified domain and path of the form "example.com/signer-name"',
        ),
      );
    }
    const seconds = spec['expirationSeconds'];
    if (typeof seconds === 'number' && seconds < 600) {
      causes.push(
        badValue(
          'spec.expirationSeconds',
          seconds,
          'may not specify a duration less than 600 seconds (10 minutes)',
        ),
      );
    }
    return causes;
  },
};

/** The spec never changes; conditions change by approval, the certificate by status. */
function updateCsr(object: KubeObject, old: KubeObject, context: HookContext): void {
  object['spec'] = clone(old['spec']);
  const now = time(context.now);
  const asked = child(object, 'status');
  const held = child(old, 'status');
  const verdict = (c: unknown): boolean => ['Approved', 'Denied'].includes(text(c, 'type') ?? '');
  const [mine, kept] =
    context.subresource === 'approval'
      ? [list(asked, 'conditions'), { certificate: held['certificate'] }]
      : [
          [
            ...list(held, 'conditions').filter(verdict),
            ...list(asked, 'conditions').filter((c) => !verdict(c)),
          ],
          { certificate: asked['certificate'] },
        ];
  if (context.subresource === '') return;
  const conditions = mine.filter(isObj).map((condition) => ({
    ...condition,
    status: condition['status'] ?? 'True',
    lastUpdateTime: condition['lastUpdateTime'] ?? now,
    lastTransitionTime: condition['lastTransitionTime'] ?? now,
  }));
  object['status'] = {
    ...(kept.certificate === undefined ? {} : { certificate: kept.certificate }),
    ...(conditions.length ? { conditions } : {}),
  };
}

const bindings: Particular = {
  validate: (object, old) => {
    const causes: Cause[] = [];
    const { apiGroup, kind, name } = child(object, 'roleRef');
    if (!name) causes.push(required('roleRef.name'));
    const kinds = object.metadata.namespace ? ['Role', 'ClusterRole'] : ['ClusterRole'];
    if (typeof kind !== 'string' || !kinds.includes(kind))
      causes.push(unsupported('roleRef.kind', kind, kinds));
    if (old && !same(object['roleRef'], old['roleRef'])) {
      // In the names of Go's fields, as the real server prints it.
      causes.push(
        badValue('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'),
      );
    }
    return causes;
  },
};

const priorityclasses: Particular = {
  onCreate: (object) => {
    object['preemptionPolicy'] ??= 'PreemptLowerPriority';
  },
};

const policies: Particular = {
  onCreate: (object) => {
    const spec = child(object, 'spec');
    const constraints = child(spec, 'matchConstraints');
    object['spec'] = {
      failurePolicy: 'Fail',
      ...spec,
      matchConstraints: {
        matchPolicy: 'Equivalent',
        namespaceSelector: {},
        objectSelector: {},
        ...constraints,
      },
    };
  },
  validate: (object) => {
    const causes: Cause[] = [];
    if (list(object, 'spec', 'matchConstraints', 'resourceRules').length === 0) {
      causes.push(required('spec.matchConstraints.resourceRules'));
    }
    const spec = child(object, 'spec');
    if (list(spec, 'validations').length === 0 && list(spec, 'auditAnnotations').length === 0) {
      causes.push(required('spec.validations', 'validations or auditAnnotations must be non-empty'));
    }
    causes.push(...compilePolicy(spec as PolicySpec).errors);
    return causes;
  },
};

const policybindings: Particular = {
  validate: (object) => {
    const causes: Cause[] = [];
    if (!text(object, 'spec', 'policyName')) causes.push(required('spec.policyName'));
    if (strings(object, 'spec', 'validationActions').length === 0)
      causes.push(required('spec.validationActions'));
    return causes;
  },
};

/** By plural; kinds without an entry are stored as they are given. */
export const HOOKS: Record<string, Particular> = {
  namespaces,
  secrets,
  configmaps,
  nodes,
  pods,
  serviceaccounts,
  leases,
  certificatesigningrequests,
  events,
  roles,
  clusterroles: roles,
  rolebindings: bindings,
  clusterrolebindings: bindings,
  priorityclasses,
  validatingadmissionpolicies: policies,
  validatingadmissionpolicybindings: policybindings,
  customresourcedefinitions: customResourceDefinition,
};
