/** The machine operator: Machines, what belongs on them, the identities of their agents, and imports. */
export * from './install/apply.ts';
export * from './install/install.ts';
export { operatorAccount } from './install/rbac.ts';
export * from './kinds.ts';
export { agentLeaves } from './machine/deletion.ts';
export { trackingAnnotations } from './machine/node.ts';
export { revisionName, revisionOf } from './machinecomponentset/template.ts';
export {
  makeOperator,
  type OperatorOptions,
  operatorLease,
  runOperator,
} from './operator.ts';
export * from './machineimport/index.ts';
export { matches } from './member/select.ts';
export { Assignments } from './assigner/plan.ts';
export { viewOfMachine, viewOfRevision, viewOfSet } from './member/view.ts';
export type { Budget, Denial, Reservation, Want } from './budget/budget.ts';
export { isUnhealthy } from './budget/census.ts';
export { draw, giveBack, keyOfGrant } from './budget/ledger.ts';
export type { Inspections } from './inspection/inspections.ts';
export { windowAt } from './window/window.ts';
