/** Names that more than one part relies on. */
export const apiGroup = 'kubenode.io';
export const apiVersion = 'kubenode.io/v1alpha1';

/** Where the operator lives: its Secrets, and the Leases of the agents. */
export const systemNamespace = 'kubenode-system';

/** On a Node: the Machine that it belongs to. On a bootstrap token (as an annotation): the only machine it may speak for. */
export const machineLabel = 'kubenode.io/machine';
/** On a certificate request of a join: labels of the Machine to be made, as a JSON object. */
export const machineLabelsAnnotation = 'kubenode.io/machine-labels';
/** On a certificate request of a join: nodeName of the Machine to be made. */
export const nodeNameAnnotation = 'kubenode.io/node-name';
/** On a Node: the taint that keeps pods away until the components are Ready for the first time. */
export const uninitializedTaint = 'kubenode.io/uninitialized';

/** On a Node: why it is cordoned by us; see the disruption controller. */
export const cordonAnnotation = 'kubenode.io/cordoned-by';

/** On Machines: the host is looked after before the object goes. */
export const machineFinalizer = 'kubenode.io/machine';
/** On MachineComponents: some Machine names the revision. */
export const inUseFinalizer = 'kubenode.io/in-use';

export const agentGroup = 'kubenode:agents';
export const bootstrapGroup = 'system:bootstrappers:kubenode';
const agentUserPrefix = 'kubenode:agent:';

/** User name of a machine's agent. */
export function agentUser(machine: string): string {
  return agentUserPrefix + machine;
}

/** The machine that a user is the agent of; undefined for anybody else. */
export function machineOfAgent(user: string): string | undefined {
  return user.startsWith(agentUserPrefix) ? user.slice(agentUserPrefix.length) : undefined;
}

/** Field managers: who owns which fields, see the table in ARCHITECTURE.md. */
export const fieldManagers = {
  assigner: 'kubenode-assigner',
  machine: 'kubenode-machine',
  agent: 'kubenode-agent',
  import: 'kubenode-import',
  budget: 'kubenode-budget',
  disruption: 'kubenode-disruption',
} as const;

/** Agents renew their Lease this often; it is stale after three times that, by the reader's own clock. */
export const leaseRenewMs = 60_000;
export const leaseStaleMs = 180_000;

/** The only NodeDisruptionBudget that is used; the operator sees that it exists. */
export const budgetName = 'default';

/** Reason of the Machine's condition Ready that the Machine controller gives when the agent's Lease is stale. */
export const agentUnreachable = 'AgentUnreachable';
/** Reason of AgentReady, False: the agent's last word before it takes itself off the host. */
export const agentLeft = 'Left';
