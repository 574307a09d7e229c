import type { HaltedRollout, InspectionResult, PromotedRollout } from '@kubenode/api';
import type { Budget, Reservation } from '../budget/budget.ts';
import type { Inspections } from '../inspection/inspections.ts';
import type { Member } from '../member/member.ts';
import type { Target, Targets } from '../member/wish.ts';
import type { Tally } from './tally.ts';
import type { SetView } from '../member/view.ts';

/** All that a set's rollout is planned from. */
export interface RolloutInput {
  readonly set: SetView;
  readonly tally: Tally;
  readonly targets: Targets;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly budget: Budget;
  readonly inspections: Inspections;
  /** Why no machine may be moved to the update revision now; undefined: they may. */
  readonly obstacle: string | undefined;
  /** Bringing in the update revision restarts a process that works; and bringing back the completed one. */
  readonly restarts: boolean;
  readonly restartsBack: boolean;
}

/** A machine to be moved now. `rollout` and `batch` are absent for one that joins. */
export interface Move {
  readonly member: Member;
  readonly rollout?: string;
  readonly batch?: number;
  /** Where it goes back to; absent: to what the set asks for. */
  readonly back?: Target;
  /** Its grant: nothing is written for the machine before the reservation is. */
  readonly reservation?: Reservation;
}

/** Where the rollout of a set stands. Times are epoch milliseconds. */
export interface RolloutState {
  readonly rollout: string;
  /** 0 when nothing was ever moved. */
  readonly batch: number;
  readonly size: number;
  readonly state: 'Updating' | 'Inspecting' | 'Observing' | 'Waiting' | 'Paused' | 'RollingBack' | 'Done';
  /** Why it stands there, for people; '' when it is done. */
  readonly reason: string;
  /** Machines of the rollout failed, and that is what holds it up. */
  readonly failed: boolean;
  /** Absent: since it was first seen in this state. */
  readonly since?: number;
  readonly until?: number;
  readonly begunAt?: number;
  /** The batch has passed its gates. */
  readonly passedAt?: number;
  readonly inspections?: readonly InspectionResult[];
  readonly halted?: HaltedRollout;
  /** Seen now for the first time. */
  readonly promoted?: PromotedRollout;
}

/** What may be told besides state and reason. */
export type Details = Partial<Omit<RolloutState, 'rollout' | 'batch' | 'size' | 'state' | 'reason'>>;

export interface RolloutPlan {
  readonly moves: readonly Move[];
  readonly outcome: RolloutState;
  /** When to look again although nothing has happened, epoch milliseconds. */
  readonly lookAt?: number;
  /** The budget has denied something: look again when more may be granted. */
  readonly isDenied?: boolean;
  /** Inspections are under way that ask others. */
  readonly isAsking?: boolean;
}
