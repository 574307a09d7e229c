/**
 * A conversation with an API server: requests in order, each of which may use what was answered before. The differential suite has it
 * with the embedded server and with the real kube-apiserver, and compares the answers.
 */

/** What earlier steps of the same conversation were answered, by the name of the step. */
export type Answers = Readonly<Record<string, Answer>>;

export interface Answer {
  readonly status: number;
  /** Parsed JSON, the events of a watch as a list, or text. */
  readonly body: unknown;
  /** The Warning headers, as one text. */
  readonly warnings?: string;
}

/** JSON, or text that is sent as it is. */
export type Body = string | readonly unknown[] | Readonly<Record<string, unknown>>;

export interface Step {
  /** Names the step in messages, and for later steps. Unique in the conversation. */
  readonly name: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string | ((answers: Answers) => string);
  readonly body?: Body | ((answers: Answers) => Body);
  /** Content type of the body; application/json when left out. */
  readonly type?: string;
  readonly accept?: string;
  /** The answer is a stream: read until this many events came (or the server ended it). */
  readonly events?: number;
  /** Sent again until the answer satisfies this (for what happens after the answer, such as garbage collection), at most ten seconds. */
  readonly until?: (answer: Answer) => boolean;
  /** Sent, but what is answered is not compared; says why. */
  readonly uncompared?: string;
  /** Dotted paths in the answer's body that may differ, with the reason, as a conversation's. */
  readonly mayDiffer?: Readonly<Record<string, string>>;
  /** As whom: a user and groups to impersonate; the administrator when left out. */
  readonly as?: { readonly user: string; readonly groups?: readonly string[] };
}

export interface Conversation {
  readonly name: string;
  readonly steps: readonly Step[];
  /** Dotted paths in bodies that may differ, with the reason. `*` stands for any key or index. */
  readonly mayDiffer?: Readonly<Record<string, string>>;
}

export const patchTypes = {
  apply: 'application/apply-patch+yaml',
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const;

/** Reads `a.b.0.c` from what a step was answered. */
export function from(answers: Answers, step: string, path: string): string {
  let value: unknown = answers[step]?.body;
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key];
  if (typeof value !== 'string') throw new Error(`the answer to ${step} has no ${path}`);
  return value;
}
