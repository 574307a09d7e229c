import { apiVersionOf, type Kind, type KubeObject } from '../client/object.ts';

/** The object that an event is about. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** The part of it that the event is about, such as `spec.containers{web}`. */
  readonly fieldPath?: string;
}

/** How an event names an object without a namespace. */
export function refOf<T extends KubeObject>(kind: Kind<T>, object: KubeObject): ObjectRef {
  const { name = '', uid } = object.metadata;
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name, ...(uid === undefined ? {} : { uid }) };
}
