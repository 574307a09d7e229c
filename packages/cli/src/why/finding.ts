import type { Machine, MachineComponentSet, MachineImport, NodeDisruptionBudget } from '@kubenode/api';

/** What is known of a machine, to say why it is not where it should be. */
export interface Known {
  readonly name: string;
  readonly machine: Machine | undefined;
  readonly import: MachineImport | undefined;
  readonly sets: readonly MachineComponentSet[];
  /** The budget named default. */
  readonly budget?: NodeDisruptionBudget | undefined;
  /** The newest last. */
  readonly events: readonly KnownEvent[];
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface KnownEvent {
  readonly at: string;
  readonly type: string;
  readonly reason: string;
  readonly message: string;
  readonly about: string;
}

/** One thing that is not as it should be. */
export interface Finding {
  /** What it is about: `component containerd`, `node n17`. */
  readonly what: string;
  readonly why: string;
  /** RFC 3339; since when it is so. */
  readonly since?: string;
  /** What happens by itself. */
  readonly next: string;
  /** RFC 3339; when that happens, where it is known. */
  readonly at?: string;
  /** What a person can do. */
  readonly help?: string;
}

export interface Explanation {
  readonly machine: string;
  readonly isWell: boolean;
  readonly summary: string;
  readonly findings: readonly Finding[];
  /** Warnings of the last hour, newest last. */
  readonly events: readonly KnownEvent[];
}
