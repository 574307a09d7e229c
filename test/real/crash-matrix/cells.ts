/** The matrix: which acts are disturbed where, made from the steps that the agent's journal has. */
import { stepNames } from '../../../packages/agent/src/plan/operation.ts';
import { type Act, type ActName, actNames } from './acts.ts';
import { type ArtifactKind, artifactKinds } from './components.ts';
import { type FaultPoint, isSamePoint } from './faults.ts';
import type { Disturbance, Disturbed } from './play.ts';

export interface Cell extends Disturbed {
  readonly artifact: ArtifactKind;
  readonly act: ActName;
}
export interface CellResult extends Cell {
  readonly seconds: number;
  /** How it ended otherwise than undisturbed. */
  readonly failure?: string;
}

/** The cells of one act, from the points that the agent came by when nothing disturbed it. */
export function cellsOf(
  act: Act,
  artifact: ArtifactKind,
  points: readonly FaultPoint[],
  disturbances: readonly Disturbance[],
): Cell[] {
  const { name } = act;
  if (name === undefined) return [];
  const own = points.filter(
    (point, i) => point.kind === act.kind && points.findIndex((earlier) => isSamePoint(earlier, point)) === i,
  );
  return own.flatMap((point) =>
    disturbances.map((disturbance) => ({ artifact, act: name, point, disturbance })),
  );
}

/** Steps of the journal that no cell disturbs. */
export function uncovered(cells: readonly Cell[]): string[] {
  const covered = new Set<string>(cells.map(({ point }) => point.step));
  return stepNames.filter((step) => !covered.has(step));
}

export function nameOf({ artifact, act, point, disturbance }: Cell): string {
  const what = disturbance === 'kill' ? 'SIGKILL of the agent' : 'power loss';
  return `${act} of ${artifact}, ${what} ${point.when} ${point.step}`;
}

/** Cells and failures by act and kind of artifact, for people. */
export function table(results: readonly CellResult[]): string {
  const head = ['', ...artifactKinds, 'cells', 'failures'];
  const rows = [...actNames, undefined].map((act) => {
    const inRow = results.filter((result) => act === undefined || result.act === act);
    const counts = artifactKinds.map((kind) => count(inRow.filter(({ artifact }) => artifact === kind)));
    return [act ?? 'all', ...counts, String(inRow.length), String(failures(inRow).length)];
  });
  return [head, ...rows]
    .map((row) => row.map((text, i) => (i === 0 ? text.padEnd(14) : text.padStart(11))).join(''))
    .join('\n');
}

export function failures(results: readonly CellResult[]): CellResult[] {
  return results.filter(({ failure }) => failure !== undefined);
}

function count(results: readonly CellResult[]): string {
  const failed = failures(results).length;
  return failed === 0 ? String(results.length) : `${results.length} (${failed}!)`;
}
