import { at, child, isObj, list, show, strings, text, type KubeObject, type Obj } from '../object.ts';
import type { Column } from '../registry/resource.ts';
import { age } from './duration.ts';
import { compileJsonPath } from './jsonpath.ts';

const NAME_TEXT =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';
const AGE_TEXT =
  'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata';

const SECRET_TYPE =
  'Used to facilitate programmatic handling of secret data. More info: https://kubernetes.io/docs/concepts/configuration/secret/#secret-types';
const SECRET_DATA =
  "Data contains the secret data. Each key must consist of alphanumeric characters, '-', '_' or '.'. The serialized form of the secret data is a base64 encoded string, representing the arbitrary (possibly non-string) data value here. Described in https://tools.ietf.org/html/rfc4648#section-4";
const LEASE_HOLDER =
  'holderIdentity contains the identity of the holder of a current lease. If Coordinated Leader Election is used, the holder identity must be equal to the elected LeaseCandidate.metadata.name field.';

type Cell = (object: KubeObject, now: number) => unknown;

function column(name: string, cell: Cell, more: Partial<Column> = {}): Column {
  return { name, type: 'string', format: '', description: '', priority: 0, cell, ...more };
}

const NAME = column('Name', (object) => object.metadata.name, { format: 'name', description: NAME_TEXT });
const AGE = column('Age', (object, now) => age(object.metadata.creationTimestamp, now), {
  description: AGE_TEXT,
});
const WIDE = { priority: 1 };

const none = (value: string | undefined): string => value || '<none>';
const count =
  (...path: string[]): Cell =>
  (object) => {
    const found = at(object, ...path);
    return Array.isArray(found) ? found.length : Object.keys(isObj(found) ? found : {}).length;
  };
const value =
  (...path: string[]): Cell =>
  (object) =>
    at(object, ...path) ?? null;
const string =
  (...path: string[]): Cell =>
  (object) =>
    none(text(object, ...path));

function nodeStatus(node: KubeObject): string {
  const ready = list(node, 'status', 'conditions').find((c) => text(c, 'type') === 'Ready');
  const out = [ready === undefined ? 'Unknown' : text(ready, 'status') === 'True' ? 'Ready' : 'NotReady'];
  if (at(node, 'spec', 'unschedulable') === true) out.push('SchedulingDisabled');
  return out.join(',');
}

function nodeRoles(node: KubeObject): string {
  const roles = Object.entries(node.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith('node-role.kubernetes.io/')) return [key.slice('node-role.kubernetes.io/'.length)];
    return key === 'kubernetes.io/role' && value ? [value] : [];
  });
  return none(roles.sort().join(','));
}

function nodeAddress(type: string): Cell {
  return (node) =>
    none(
      text(
        list(node, 'status', 'addresses').find((a) => text(a, 'type') === type),
        'address',
      ),
    );
}

function csrCondition(csr: KubeObject): string {
  const types = list(csr, 'status', 'conditions').map((c) => text(c, 'type'));
  const out: string[] = [];
  if (types.includes('Denied')) out.push('Denied');
  else if (types.includes('Approved')) out.push('Approved');
  else out.push('Pending');
  if (types.includes('Failed')) out.push('Failed');
  if (text(csr, 'status', 'certificate')) out.push('Issued');
  return out.join(',');
}

function subjects(kind: string): Cell {
  return (binding) =>
    list(binding, 'subjects')
      .filter((s) => text(s, 'kind') === kind)
      .map((s) =>
        kind === 'ServiceAccount' ? `${text(s, 'namespace')}/${text(s, 'name')}` : text(s, 'name'),
      )
      .join(', ');
}

const ROLE: Column = column('Role', (b) => `${text(b, 'roleRef', 'kind')}/${text(b, 'roleRef', 'name')}`);
const BINDING = [
  NAME,
  ROLE,
  AGE,
  column('Users', subjects('User'), WIDE),
  column('Groups', subjects('Group'), WIDE),
  column('ServiceAccounts', subjects('ServiceAccount'), WIDE),
];
const CREATED = [NAME, column('Created At', (o) => o.metadata.creationTimestamp)];

function involved(event: KubeObject): string {
  const name = text(event, 'involvedObject', 'name') ?? '';
  return `${(text(event, 'involvedObject', 'kind') ?? '').toLowerCase()}/${name}`;
}

function eventTime(event: KubeObject, which: 'first' | 'last'): unknown {
  const series = text(event, 'series', 'lastObservedTime');
  if (which === 'last' && series) return series;
  const old = text(event, which === 'first' ? 'firstTimestamp' : 'lastTimestamp');
  return old ?? text(event, 'eventTime') ?? event.metadata.creationTimestamp;
}

function ready(pod: KubeObject): string {
  const states = list(pod, 'status', 'containerStatuses');
  return `${states.filter((s) => isObj(s) && s['ready'] === true).length}/${list(pod, 'spec', 'containers').length}`;
}

function podStatus(pod: KubeObject): string {
  if (pod.metadata.deletionTimestamp) return 'Terminating';
  for (const status of list(pod, 'status', 'containerStatuses')) {
    const reason =
      text(status, 'state', 'waiting', 'reason') ?? text(status, 'state', 'terminated', 'reason');
    if (reason) return reason;
  }
  return text(pod, 'status', 'reason') ?? text(pod, 'status', 'phase') ?? 'Unknown';
}

const integer = { type: 'integer' };

/** By plural, for the kinds for which kubectl shows more than name and age. */
const BUILT_IN: Record<string, Column[]> = {
  namespaces: [NAME, column('Status', string('status', 'phase')), AGE],
  nodes: [
    NAME,
    column('Status', nodeStatus),
    column('Roles', nodeRoles),
    AGE,
    column('Version', value('status', 'nodeInfo', 'kubeletVersion')),
    column('Internal-IP', nodeAddress('InternalIP'), WIDE),
    column('External-IP', nodeAddress('ExternalIP'), WIDE),
    column('OS-Image', string('status', 'nodeInfo', 'osImage'), WIDE),
    column('Kernel-Version', string('status', 'nodeInfo', 'kernelVersion'), WIDE),
    column('Container-Runtime', string('status', 'nodeInfo', 'containerRuntimeVersion'), WIDE),
  ],
  pods: [
    NAME,
    column('Ready', ready),
    column('Status', podStatus),
    column('Restarts', (pod) =>
      String(
        list(pod, 'status', 'containerStatuses').reduce<number>(
          (sum, s) => sum + Number(at(s, 'restartCount') ?? 0),
          0,
        ),
      ),
    ),
    AGE,
    column('IP', string('status', 'podIP'), WIDE),
    column('Node', string('spec', 'nodeName'), WIDE),
    column('Nominated Node', string('status', 'nominatedNodeName'), WIDE),
    column('Readiness Gates', () => '<none>', WIDE),
  ],
  secrets: [
    NAME,
    column('Type', value('type'), { description: SECRET_TYPE }),
    column('Data', count('data'), { description: SECRET_DATA }),
    AGE,
  ],
  configmaps: [
    NAME,
    column(
      'Data',
      (o) => Object.keys(child(o, 'data')).length + Object.keys(child(o, 'binaryData')).length,
      integer,
    ),
    AGE,
  ],
  serviceaccounts: [NAME, column('Secrets', count('secrets'), integer), AGE],
  services: [
    NAME,
    column('Type', value('spec', 'type')),
    column('Cluster-IP', string('spec', 'clusterIP')),
    column('External-IP', () => '<none>'),
    column('Port(s)', (o) =>
      none(
        list(o, 'spec', 'ports')
          .map((p) => `${String(at(p, 'port'))}/${text(p, 'protocol') ?? 'TCP'}`)
          .join(','),
      ),
    ),
    AGE,
  ],
  events: [
    column('Last Seen', (e, now) => age(eventTime(e, 'last'), now)),
    column('Type', value('type')),
    column('Reason', value('reason')),
    column('Object', involved),
    column('Subobject', (e) => text(e, 'involvedObject', 'fieldPath') ?? '', WIDE),
    column(
      'Source',
      (e) =>
        [text(e, 'source', 'component') ?? text(e, 'reportingComponent'), text(e, 'source', 'host')]
          .filter(Boolean)
          .join(', '),
      WIDE,
    ),
    column('Message', (e) => (text(e, 'message') ?? '').trim()),
    column('First Seen', (e, now) => age(eventTime(e, 'first'), now), WIDE),
    column('Count', (e) => Number(at(e, 'series', 'count') ?? at(e, 'count') ?? 1), WIDE),
    column('Name', (e) => e.metadata.name, WIDE),
  ],
  leases: [
    NAME,
    column('Holder', (o) => text(o, 'spec', 'holderIdentity') ?? '', { description: LEASE_HOLDER }),
    AGE,
  ],
  certificatesigningrequests: [
    NAME,
    AGE,
    column('SignerName', value('spec', 'signerName')),
    column('Requestor', value('spec', 'username')),
    column('RequestedDuration', (o) => {
      const seconds = at(o, 'spec', 'expirationSeconds');
      return typeof seconds === 'number' ? age(new Date(0).toISOString(), seconds * 1000) : '<none>';
    }),
    column('Condition', csrCondition),
  ],
  clusterroles: CREATED,
  roles: CREATED,
  clusterrolebindings: BINDING,
  rolebindings: BINDING,
  csinodes: [NAME, column('Drivers', count('spec', 'drivers'), integer), AGE],
  runtimeclasses: [NAME, column('Handler', value('handler')), AGE],
  priorityclasses: [
    NAME,
    column('Value', value('value'), integer),
    column('Global-Default', (o) => at(o, 'globalDefault') === true, { type: 'boolean' }),
    AGE,
    column('PreemptionPolicy', value('preemptionPolicy')),
  ],
  validatingadmissionpolicies: [
    NAME,
    column('Validations', count('spec', 'validations'), integer),
    column('ParamKind', (o) => {
      const kind = child(child(o, 'spec'), 'paramKind');
      return kind['kind'] ? `${show(kind['apiVersion'])}/${show(kind['kind'])}` : '<unset>';
    }),
    AGE,
  ],
  validatingadmissionpolicybindings: [
    NAME,
    column('PolicyName', value('spec', 'policyName')),
    column('ParamRef', (o) => text(o, 'spec', 'paramRef', 'name') ?? '<unset>'),
    AGE,
  ],
  deployments: [
    NAME,
    column(
      'Ready',
      (o) => `${Number(at(o, 'status', 'readyReplicas') ?? 0)}/${Number(at(o, 'spec', 'replicas') ?? 1)}`,
    ),
    column('Up-to-date', (o) => at(o, 'status', 'updatedReplicas') ?? 0, integer),
    column('Available', (o) => at(o, 'status', 'availableReplicas') ?? 0, integer),
    AGE,
  ],
  daemonsets: [
    NAME,
    ...(
      [
        ['Desired', 'desiredNumberScheduled'],
        ['Current', 'currentNumberScheduled'],
        ['Ready', 'numberReady'],
        ['Up-to-date', 'updatedNumberScheduled'],
        ['Available', 'numberAvailable'],
      ] as const
    ).map(([name, key]) => column(name, (o) => at(o, 'status', key) ?? 0, integer)),
    AGE,
  ],
  poddisruptionbudgets: [
    NAME,
    column('Min Available', (o) => at(o, 'spec', 'minAvailable') ?? 'N/A'),
    column('Max Unavailable', (o) => at(o, 'spec', 'maxUnavailable') ?? 'N/A'),
    column('Allowed Disruptions', (o) => at(o, 'status', 'disruptionsAllowed') ?? 0, integer),
    AGE,
  ],
  customresourcedefinitions: CREATED,
};

export function builtInColumns(plural: string): Column[] {
  return BUILT_IN[plural] ?? [NAME, AGE];
}

/** Columns of one version of a CustomResourceDefinition; name first, and age where none are declared. */
export function customColumns(declared: unknown[]): Column[] {
  if (declared.length === 0) {
    return [NAME, columnFromPath({ name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' })];
  }
  return [NAME, ...declared.filter(isObj).map(columnFromPath)];
}

function columnFromPath(declared: Obj): Column {
  const source = text(declared, 'jsonPath') ?? '';
  const type = text(declared, 'type') ?? 'string';
  const path = compileJsonPath(source);
  return {
    name: text(declared, 'name') ?? '',
    type,
    format: text(declared, 'format') ?? '',
    description:
      text(declared, 'description') ?? `Custom resource definition column (in JSONPath format): ${source}`,
    priority: Number(declared['priority'] ?? 0),
    cell: (object, now) => customCell(path(object), type, now),
  };
}

/** As the real server's converter: what is not of the column's type is shown as nothing. */
function customCell(found: unknown[], type: string, now: number): unknown {
  const first = found[0];
  if (first === undefined || first === null) return null;
  switch (type) {
    case 'integer':
      return typeof first === 'number' ? Math.trunc(first) : null;
    case 'number':
      return typeof first === 'number' ? first : null;
    case 'boolean':
      return typeof first === 'boolean' ? first : null;
    case 'date':
      return typeof first === 'string' ? age(first, now) : null;
    default:
      if (found.length > 1) return strings({ found: found.map(show) }, 'found').join(' ');
      return show(first);
  }
}
