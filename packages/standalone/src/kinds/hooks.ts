import { compilePolicy, type PolicySpec } from '../cel/index.ts';
import { badValue, required, unsupported } from '../registry/metadata.ts';
import type { HookContext, Hooks } from '../registry/resource.ts';
import type { Cause } from '../http/status.ts';
import { at, child, clone, isObj, list, same, strings, text, time, type KubeObject } from '../object.ts';
import { customResourceDefinition } from './definitions.ts';

type Particular = Partial<Pick<Hooks, 'onCreate' | 'onUpdate' | 'validate'>>;

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

const nodes: Particular = {
  onCreate: (object) => {
    // A kubelet registers its Node together with its status.
    if (!isObj(object['spec'])) object['spec'] = {};
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

const certificatesigningrequests: Particular = {
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
  validate: (object) => {
    const causes: Cause[] = [];
    const spec = child(object, 'spec');
    const pem = Buffer.from(text(spec, 'request') ?? '', 'base64').toString('utf8');
    if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
      causes.push(
        badValue('spec.request', text(spec, 'request') ?? '', 'PEM block type must be CERTIFICATE REQUEST'),
      );
    }
    const usages = strings(spec, 'usages');
    if (usages.length === 0) causes.push(required('spec.usages', 'usages must be set'));
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
  validate: (object, old) =>
    old && !same(object['roleRef'], old['roleRef'])
      ? [badValue('roleRef', object['roleRef'], 'cannot change roleRef')]
      : [],
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
  rolebindings: bindings,
  clusterrolebindings: bindings,
  priorityclasses,
  validatingadmissionpolicies: policies,
  validatingadmissionpolicybindings: policybindings,
  customresourcedefinitions: customResourceDefinition,
};
