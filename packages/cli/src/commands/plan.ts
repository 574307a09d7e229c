import type {
  MachineComponent as ComponentObject,
  MachineComponentSet as SetObject,
  MachineImport as ImportObject,
} from '@kubenode/api';
import {
  Machine,
  MachineComponent,
  MachineComponentSet,
  MachineImport,
  revisionName,
} from '@kubenode/machine';
import type { Client } from '@kubenode/runtime';
import { readBudget } from '../budget.ts';
import {
  type Command,
  CommandError,
  connectionOptions,
  type Input,
  type Terminal,
  UsageError,
} from '../command.ts';
import { connect } from '../connection.ts';
import { isJson, outputOption, printJson } from '../output.ts';
import { type Manifest, readManifest } from '../preview/manifest.ts';
import { type Preview, previewOf } from '../preview/preview.ts';
import { previewLines } from '../preview/print.ts';
import { planText } from '../print-import.ts';
import { pendingMoves, type Rollout, rolloutOf } from '../rollout-plan.ts';
import { spell, type Target, targets } from '../resources.ts';
import { table } from '../table.ts';

export const plan: Command = {
  name: 'plan',
  summary: 'What will change: rollouts under way, what a change would do, or what an import would do',
  usage: '[set/NAME [--revision REVISION] [-f FILE] | import/NAME]',
  help: `
Without a name: every set that is not done, with what it waits for. Of a set: the machines that are still to be moved, and what the rest
of the rollout will do. With --revision or a manifest (-f): what that change would do, and nothing is changed: which machines in which
batch, what differs between the revisions, what is restarted, drained or rebooted, what is in the way now, and how long it takes at least.
The operator's own planner decides, before a copy of the fleet in which all goes well. Of an import: what it would change on the host
(kubenode import ... --plan makes it).

-o json prints {rollouts: [{set, from, to, updated, machines, batch, next, isDone}], moves: [{machine, from, to, stands}], previews: [{set,
from, to, differences, disruption, disturbed, batches: [{number, machines, afterMs}], left, isDone, durationMs, assumptions, holds: [{what,
until, help}], stuck}]}; of an import its status.plan.

  kubenode plan
  kubenode plan set/containerd --revision containerd-1.7.28-1
  kubenode plan -f containerd.yaml
  kubenode plan import/n17`,
  options: {
    ...connectionOptions,
    revision: { type: 'string', value: 'REVISION', help: 'what would be if spec.revision were this one' },
    filename: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      help: 'what would be with this manifest of sets and revisions',
    },
    settle: {
      type: 'string',
      value: 'DURATION',
      help: 'how long a machine takes until it is Ready (default: as the last time, otherwise 1m)',
    },
    ...outputOption,
  },
  async run(input, terminal) {
    const json = isJson(input);
    const target = targetOf(input);
    const settleMs = input.duration('settle');
    const client = await connect(input, terminal);
    if (target?.kind === MachineImport) return planImport(client, target, json, terminal);
    const file = input.text('filename');
    const manifest = file === undefined ? undefined : await readManifest(client, file, terminal.signal);
    const fleet = await readFleet(client, terminal.signal);
    const sets = fleet.sets.filter(({ metadata }) => target === undefined || metadata.name === target.name);
    const changed = changedSets(target, sets, manifest, input);
    if (target !== undefined && sets.length === 0 && changed.length === 0)
      throw new CommandError(`there is no ${spell(target)}; kubenode get sets lists them`);
    const rollouts =
      manifest === undefined
        ? sets.map(rolloutOf).filter(({ isDone }) => target !== undefined || !isDone)
        : [];
    const [own] = target === undefined ? [] : sets;
    const moves = own === undefined || changed.length > 0 ? [] : pendingMoves(own, fleet.machines);
    const subjects = changed.length > 0 ? changed : moves.length > 0 && own !== undefined ? [own] : [];
    const known = new Map(
      [...fleet.revisions, ...(manifest?.revisions ?? []), ...changed.flatMap(madeOf)].map((revision) => [
        revision.metadata.name,
        revision,
      ]),
    );
    const previews = subjects.map((set) =>
      previewOf({
        set,
        before: fleet.sets.find(({ metadata }) => metadata.name === set.metadata.name),
        others: fleet.sets.filter(
          ({ metadata, spec }) =>
            spec.component === set.spec.component && metadata.name !== set.metadata.name,
        ),
        machines: fleet.machines,
        revisions: [...known.values()],
        budget: fleet.budget,
        now: Date.now(),
        settleMs,
      }),
    );
    if (json) printJson(terminal, { rollouts, moves, previews });
    else if (changed.length > 0) printPreviews(previews, terminal);
    else {
      printRollouts(rollouts, moves, terminal);
      if (previews.length > 0) terminal.out.write('\n');
      printPreviews(previews, terminal);
    }
    return 0;
  },
};

function targetOf(input: Input): Target | undefined {
  const isChange = input.text('revision') !== undefined || input.text('filename') !== undefined;
  if (input.text('revision') !== undefined && input.text('filename') !== undefined)
    throw new UsageError('--revision and -f are two changes: give one of them');
  const [target, ...rest] =
    input.positionals.length === 0 ? [] : targets(input.positionals, MachineComponentSet);
  if (rest.length > 0) throw new UsageError('name one set or one import');
  if (target === undefined && input.text('revision') !== undefined)
    throw new UsageError('--revision: say of which set: kubenode plan set/NAME --revision REVISION');
  if (
    target !== undefined &&
    target.kind !== MachineComponentSet &&
    (target.kind !== MachineImport || isChange)
  )
    throw new UsageError(
      `${spell(target)}: a plan is of a set or an import, and --revision and -f go with a set`,
    );
  return target;
}

async function planImport(
  client: Client,
  target: Target,
  json: boolean,
  terminal: Terminal,
): Promise<number> {
  const found = (await client.get(MachineImport, target.name)) as ImportObject | undefined;
  if (found === undefined) throw new CommandError(`there is no ${spell(target)}`);
  if (json) printJson(terminal, found.status?.plan ?? []);
  else terminal.out.write(planText(found));
  return 0;
}

async function readFleet(client: Client, signal: AbortSignal) {
  const [sets, machines, revisions, budget] = await Promise.all([
    client.list(MachineComponentSet, { signal }),
    client.list(Machine, { signal }),
    client.list(MachineComponent, { signal }),
    readBudget(client),
  ]);
  return { sets: sets.items, machines: machines.items, revisions: revisions.items, budget };
}

/** The sets as they would be; none where nothing is to be changed. */
function changedSets(
  target: Target | undefined,
  sets: readonly SetObject[],
  manifest: Manifest | undefined,
  input: Input,
): readonly SetObject[] {
  const revision = input.text('revision');
  const [set] = sets;
  if (revision !== undefined) return set === undefined ? [] : [withRevision(set, revision)];
  if (manifest === undefined) return [];
  const file = input.text('filename') ?? '';
  const own = manifest.sets.filter(({ metadata }) => target === undefined || metadata.name === target.name);
  if (own.length > 0) return own;
  const fitting = manifest.revisions.filter(({ spec }) => spec.component === set?.spec.component);
  const [only, ...more] = fitting;
  if (target !== undefined && set !== undefined && only !== undefined && more.length === 0)
    return [withRevision(set, only.metadata.name)];
  throw new CommandError(
    target === undefined
      ? `${file} holds no MachineComponentSet: name the set that its revision is for: kubenode plan set/NAME -f ${file}`
      : `${file} holds neither ${spell(target)} nor one revision of its component`,
  );
}

function withRevision(set: SetObject, revision: string): SetObject {
  const { template: _, ...spec } = set.spec;
  return {
    ...set,
    metadata: { ...set.metadata, generation: (set.metadata.generation ?? 0) + 1 },
    spec: { ...spec, revision },
  };
}

/** The revision that a template stands for, which the operator has not made yet. */
function madeOf({ spec }: SetObject): ComponentObject[] {
  if (spec.template === undefined) return [];
  const metadata = { name: revisionName(spec.template.spec) };
  return [
    { apiVersion: 'kubenode.io/v1alpha1', kind: 'MachineComponent', metadata, spec: spec.template.spec },
  ];
}

function printPreviews(previews: readonly Preview[], { out }: Terminal): void {
  out.write(previews.map((preview) => `${previewLines(preview, out.columns).join('\n')}\n`).join('\n'));
}

function printRollouts(
  rollouts: readonly Rollout[],
  moves: ReturnType<typeof pendingMoves>,
  { out }: Terminal,
): void {
  out.write(rollouts.length === 0 ? 'Nothing is under way: every set is done.\n' : rolloutTable(rollouts));
  if (moves.length === 0) return;
  const rows = moves.map(({ machine, from, to, stands }) => [machine, from, to, stands]);
  out.write(`\n${table(['MACHINE', 'FROM', 'TO', 'STANDS'], rows)}`);
}

function rolloutTable(rollouts: readonly Rollout[]): string {
  return table(
    ['SET', 'FROM', 'TO', 'UPDATED', 'BATCH', 'NEXT'],
    rollouts.map(({ set, from, to, updated, machines, batch, next }) => [
      set,
      from,
      to,
      `${updated}/${machines}`,
      batch,
      next,
    ]),
  );
}
