import type { KubeObject } from '../object.ts';

export type ChangeType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One committed change. `object` and `previous` are shared by everybody who hears of it: read, never write. */
export interface Change {
  rv: number;
  resource: string;
  namespace: string;
  name: string;
  type: ChangeType;
  /** The object as stored, as JSON; of a deletion its last state, with the deletion's resourceVersion. */
  body: Uint8Array;
  object: KubeObject;
  previous: KubeObject | undefined;
}

export type Listener = (change: Change) => void;
