import { canonical } from '@kubenode/runtime';
import { createHash } from 'node:crypto';
import type { MachineComponentSet, MachineComponentSpec } from '@kubenode/api';

/** Longest name of an object. */
const longest = 253;

/** On a revision that was made from a template: the set. */
export const setLabel = 'kubenode.io/set';

/**
 * Name of the revision that a template stands for: `<component>-<version>-<hash>`. The hash is that of all of the spec, so the same
 * template always gives the same revision, and going back to an earlier one makes nothing new.
 */
export function revisionName(spec: MachineComponentSpec): string {
  const hash = createHash('sha256').update(canonical(spec)).digest('hex').slice(0, 10);
  const version = spec.version.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-');
  const readable = `${spec.component}-${version}`
    .replaceAll(/\.(?=[.-])|-(?=\.)/g, '')
    .slice(0, longest - 11);
  return `${readable.replace(/[-.]+$/, '')}-${hash}`;
}

/** Name of the revision that a set asks for, named or by template. */
export function revisionOf(set: MachineComponentSet): string {
  const { template, revision } = set.spec;
  return template === undefined ? (revision ?? '') : revisionName(template.spec);
}

/** Revisions of a set's templates that are kept although no machine names them, for the way back. */
export const historyLimit = 5;

/** What is known of a revision that was made from a template of the set. */
export interface Made {
  readonly name: string;
  readonly createdAt: string;
  readonly inUse: boolean;
}

/** Those that nobody needs any more, oldest first. */
export function superfluous(made: readonly Made[], keep: readonly (string | undefined)[]): string[] {
  const idle = made
    .filter(({ name, inUse }) => !inUse && !keep.includes(name))
    .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  return idle
    .slice(historyLimit)
    .map(({ name }) => name)
    .reverse();
}
