/** What the rollout planner asks of inspections that have to ask somebody else: Prometheus and Web. */
import type { Inspection } from '@kubenode/api';

/** The batch that is to be inspected. */
export interface InspectedBatch {
  readonly set: string;
  readonly component: string;
  readonly revision: string;
  /** As in the entries of its machines. */
  readonly rollout: string;
  /** Counted from 1. */
  readonly number: number;
  /** When its first machine was moved, epoch milliseconds. */
  readonly begunAt: number;
  /**
   * Only what was found after this counts, epoch milliseconds: the moment from which all machines of the batch were Ready, or the end of
   * the observation. Where it is later than that of the call before, the inspections have to be asked anew.
   */
  readonly evidenceAfter: number;
  readonly machines: readonly string[];
}

/** What an inspection found. */
export interface Verdict {
  /** Inconclusive: no answer, or one that says nothing; it is asked again until the inspection's deadline, which the planner keeps. */
  readonly result: 'Passed' | 'Failed' | 'Inconclusive';
  /** When the question was put, epoch milliseconds: an answer says nothing about what came after its question. */
  readonly at: number;
  /** For people: what was asked and found. At most 512 characters, no secrets. */
  readonly message: string;
}

/** The inspections that this process has under way. All memory of them may be lost: they are then asked anew. */
export interface Inspections {
  /**
   * What was found last, by name of the inspection; none where there is no answer yet. Synchronous, so that planners stay pure: being
   * called begins the asking, and keeps it up until `forget` or another batch of the same set. Those of type BuiltIn are left out.
   */
  verdicts(batch: InspectedBatch, inspections: readonly Inspection[]): ReadonlyMap<string, Verdict>;
  /** Nobody waits for an inspection of the set any more: what is under way is ended. No error where nothing is. */
  forget(set: string): void;
  /** Calls back with the name of the set whose verdicts may have changed. */
  onChange(handler: (set: string) => void): void;
}
