import { createHash } from 'node:crypto';
import type { Artifact, ComponentHooks, MachineComponentEntry, MachineComponentSpec } from '@kubenode/api';
import type { HostFacts, ProbeRequest, StageRequest } from '../ports.ts';
import { durationMs } from './duration.ts';
import type { Leave } from './leave.ts';
import { render, TemplateError } from './template.ts';

/** A revision as it was fetched: immutable, so it is kept whole. */
export interface Revision {
  readonly name: string;
  readonly uid: string;
  readonly spec: MachineComponentSpec;
}
/** The part of a Machine that the agent works from. */
export interface DesiredMachine {
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  readonly nodeName: string;
  readonly paused: boolean;
  readonly entries: readonly MachineComponentEntry[];
  /** Leave to disturb the machine; not kept on disk, since it may be over when it is read again. */
  readonly leave?: Leave;
}

/** One file that a goal puts on the host. */
export interface GoalFile {
  readonly path: string;
  readonly kind: 'file' | 'symlink';
  readonly source: 'artifact' | 'file' | 'unit';
  readonly mode: number;
  /** user:group; left out for artifacts, which belong to who installs them. */
  readonly owner?: string;
  /** Ids that the owner stood for when it was written; compared only where known. */
  readonly ids?: { readonly uid: number; readonly gid: number };
  /** sha256:<hex>; of plain files. */
  readonly digest?: string;
  readonly target?: string;
  /** What stands in it, for rendered files and units. */
  readonly content?: string;
  /** Where the verified copy of an artifact's file lies. */
  readonly staged?: string;
  readonly onChange: 'None' | 'Reload' | 'Restart';
}
export interface GoalProbe {
  readonly name: string;
  readonly request: ProbeRequest;
  readonly periodMs: number;
  readonly failureThreshold: number;
  readonly initialDelayMs: number;
}
export interface GoalHook {
  readonly command: readonly string[];
  readonly timeoutMs: number;
}
export type HookName = keyof ComponentHooks;
export interface GoalPackage {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly url?: string;
}

/** A revision resolved for this host: nothing in it has to be asked from the API again, so it can be applied from disk alone. */
export interface Goal {
  readonly component: string;
  readonly revision: string;
  readonly revisionUID: string;
  readonly version: string;
  /** Digest of all of the below: two goals with one key put the same on the host. */
  readonly key: string;
  readonly artifact?: StageRequest;
  readonly package?: GoalPackage;
  /** Rendered files and the unit; what an artifact brings is known when it is staged. */
  readonly files: readonly GoalFile[];
  readonly unit?: { readonly name: string; readonly own: boolean };
  readonly hooks: Readonly<Partial<Record<HookName, GoalHook>>>;
  readonly versionCheck?: { readonly command: readonly string[]; readonly pattern: string };
  readonly probes: readonly GoalProbe[];
  readonly dependsOn: readonly { readonly component: string; readonly minVersion?: string }[];
  readonly disruption: 'None' | 'Reload' | 'Restart' | 'Drain' | 'Reboot';
  readonly deadlineMs: number;
  readonly onFailure: 'Rollback' | 'Hold';
}

/** A component cannot be resolved on this host; the text says which object and field, and what to do. */
export interface Blocked {
  readonly reason: 'UnknownVariable' | 'NoArtifact' | 'Invalid' | 'RevisionMissing' | 'RevisionReplaced';
  readonly message: string;
}
export interface GoalContext {
  readonly machine: DesiredMachine;
  readonly facts: HostFacts;
}

/** Where units of ours stand. */
export const unitFolder = '/etc/systemd/system';

/** Resolves a revision for this host: picks the artifact, renders files and unit. Pure. */
export function resolveGoal(
  entry: MachineComponentEntry,
  revision: Revision,
  context: GoalContext,
): Goal | Blocked {
  const { spec } = revision;
  const where = `MachineComponent ${revision.name}`;
  if (spec.component !== entry.name) {
    return {
      reason: 'Invalid',
      message: `${where} is a revision of ${spec.component}, not of ${entry.name}: correct the set's spec.revision`,
    };
  }
  const artifacts = spec.artifacts ?? [];
  const artifact = artifacts.find(
    ({ os, arch }) => (os ?? 'linux') === context.facts.os && arch === context.facts.arch,
  );
  if (artifact === undefined && artifacts.length > 0) {
    const has = artifacts.map(({ os, arch }) => `${os ?? 'linux'}/${arch}`).join(', ');
    return {
      reason: 'NoArtifact',
      message: `${where} spec.artifacts has none for ${context.facts.os}/${context.facts.arch} (only ${has}): make a revision with one for this host`,
    };
  }
  let files: GoalFile[];
  try {
    files = renderedFiles(spec, where, templateValues(entry, context));
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { reason: 'UnknownVariable', message: error.message };
  }
  const goal: Omit<Goal, 'key'> = {
    component: entry.name,
    revision: revision.name,
    revisionUID: revision.uid,
    version: spec.version,
    ...source(artifact),
    files,
    ...(spec.unit === undefined
      ? {}
      : { unit: { name: spec.unit.name, own: spec.unit.content !== undefined } }),
    hooks: resolveHooks(spec.hooks),
    ...(spec.versionCheck === undefined
      ? {}
      : {
          versionCheck: {
            command: spec.versionCheck.exec.command,
            pattern: spec.versionCheck.pattern ?? 'v?(\\d\\S*)',
          },
        }),
    probes: resolveProbes(spec),
    dependsOn: spec.dependsOn ?? [],
    disruption: spec.disruption ?? 'Restart',
    deadlineMs: durationMs(spec.progressDeadline, 300_000),
    onFailure: spec.onFailure ?? 'Rollback',
  };
  return { ...goal, key: createHash('sha256').update(JSON.stringify(goal)).digest('hex').slice(0, 32) };
}

export function isBlocked(result: Goal | Blocked): result is Blocked {
  return 'reason' in result;
}

export function sha256(content: string | Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

function templateValues(
  entry: MachineComponentEntry,
  { machine, facts }: GoalContext,
): Record<string, string> {
  const values: Record<string, string> = {
    'machine.name': machine.name,
    'machine.nodeName': machine.nodeName,
    'host.arch': facts.arch,
    'host.os': facts.os,
    'host.hostname': facts.hostname,
    'host.address': facts.addresses[0] ?? '',
  };
  for (const [name, value] of Object.entries(entry.variables ?? {})) values[`variables.${name}`] = value;
  return values;
}

function renderedFiles(
  spec: MachineComponentSpec,
  where: string,
  values: Record<string, string>,
): GoalFile[] {
  const files = (spec.files ?? []).map((file): GoalFile => {
    const content = render(
      file.content,
      values,
      `${where} spec.files ${file.path} (component ${spec.component})`,
    );
    return {
      path: file.path,
      kind: 'file',
      source: 'file',
      mode: modeOf(file.mode, 0o644),
      owner: file.owner ?? 'root:root',
      digest: sha256(content),
      content,
      onChange: file.onChange ?? 'Restart',
    };
  });
  if (spec.unit?.content !== undefined) {
    const content = render(
      spec.unit.content,
      values,
      `${where} spec.unit.content (component ${spec.component})`,
    );
    files.push({
      path: `${unitFolder}/${spec.unit.name}`,
      kind: 'file',
      source: 'unit',
      mode: 0o644,
      owner: 'root:root',
      digest: sha256(content),
      content,
      onChange: 'Restart',
    });
  }
  return files;
}

function source(artifact: Artifact | undefined): Pick<Goal, 'artifact' | 'package'> {
  if (artifact?.archive) return { artifact: { kind: 'archive', ...artifact.archive } };
  if (artifact?.file)
    return { artifact: { kind: 'file', ...artifact.file, mode: modeOf(artifact.file.mode, 0o755) } };
  if (artifact?.oci)
    return { artifact: { kind: 'oci', image: artifact.oci.image, path: artifact.oci.path ?? '/' } };
  if (artifact?.package) return { package: artifact.package };
  return {};
}

function resolveHooks(hooks: ComponentHooks = {}): Partial<Record<HookName, GoalHook>> {
  const resolved: Partial<Record<HookName, GoalHook>> = {};
  for (const name of ['preInstall', 'postInstall', 'preStop', 'postStart', 'preRemove'] as const) {
    const hook = hooks[name];
    if (hook) resolved[name] = { command: hook.command, timeoutMs: durationMs(hook.timeout, 60_000) };
  }
  return resolved;
}

function resolveProbes(spec: MachineComponentSpec): GoalProbe[] {
  return (spec.probes ?? []).map(({ name, exec, httpGet, tcpSocket, ...probe }) => ({
    name,
    request: {
      timeoutMs: (probe.timeoutSeconds ?? 5) * 1000,
      ...(exec ? { exec } : {}),
      ...(httpGet ? { httpGet } : {}),
      ...(tcpSocket ? { tcpSocket } : {}),
    },
    periodMs: (probe.periodSeconds ?? 10) * 1000,
    failureThreshold: probe.failureThreshold ?? 3,
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
  }));
}

function modeOf(text: string | undefined, fallback: number): number {
  const mode = text === undefined ? Number.NaN : Number.parseInt(text, 8);
  return Number.isNaN(mode) ? fallback : mode;
}
