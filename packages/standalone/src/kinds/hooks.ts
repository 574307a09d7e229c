import { compilePolicy, type PolicySpec } from '../cel/index.ts';
import { badValue, required } from '../registry/metadata.ts';
import { badRequest, type Cause } from '../http/status.ts';
import { at, child, list, same, strings, text, type KubeObject } from '../object.ts';
import { certificatesigningrequests } from './csr.ts';
import { customResourceDefinition } from './definitions.ts';
import { events, nodes } from './nodes.ts';
import { forbidden, openStatus, type Particular } from './particular.ts';
import { bindings, roles } from './rbac.ts';

const immutable = (field: string, value: unknown): Cause => badValue(field, value, 'field is immutable');

const namespaces: Particular = {
  ...openStatus,
  prepare: (object) => {
    object['spec'] = { ...child(object, 'spec'), finalizers: ['kubernetes'] };
    object['status'] = { phase: 'Active' };
  },
  onCreate: (object) => {
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

const configmaps: Particular = {
  validate: (object, old) => {
    if (old?.['immutable'] !== true) return [];
    const changed = ['data', 'binaryData'].filter((key) => !same(object[key], old[key]));
    return changed.map((key) => forbidden(key, 'field is immutable when `immutable` is set'));
  },
};

const pods: Particular = {
  ...openStatus,
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

const services: Particular = openStatus;

const csinodes: Particular = {
  prepare: (object) => {
    const spec = child(object, 'spec');
    // Go keeps no empty list here.
    if (list(spec, 'drivers').length === 0) object['spec'] = { ...spec, drivers: null };
  },
};

const leases: Particular = {
  validate: (object) => {
    const seconds = at(object, 'spec', 'leaseDurationSeconds');
    return typeof seconds === 'number' && seconds <= 0
      ? [badValue('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
      : [];
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
  services,
  csinodes,
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
