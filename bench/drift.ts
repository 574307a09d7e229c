/** A thousand machines whose config one bad script rewrote: how they restart under the budget, on a clock that is turned. */
import { restartStorm, usualBudget } from '../packages/machine/src/testing/restart-storm.ts';
import { figures, type Report } from './report.ts';

const machines = 1000;
const minuteMs = 60_000;
/** A slow restart, so that the limit of machines at once is reached as well. */
const restartMs = 6 * minuteMs;
const shownMinutes = 10;

export async function drift(): Promise<Report[]> {
  const { restarts, mostAtOnce, ledgerWrites, leaveWrites, asked } = await restartStorm({
    machines,
    restartMs,
    limitMs: 300 * minuteMs,
  });
  const last = restarts.at(-1)?.at ?? 0;
  const perMinute = Array.from({ length: Math.floor(last / minuteMs) + 1 }, () => 0);
  for (const { at } of restarts) perMinute[Math.floor(at / minuteMs)]! += 1;
  const rows: string[][] = [];
  for (let from = 0; from < perMinute.length; from += shownMinutes) {
    const minutes = perMinute.slice(from, from + shownMinutes);
    rows.push([
      `${from} to ${from + shownMinutes}`,
      minutes.join(' '),
      String(minutes.reduce((sum, n) => sum + n, 0)),
    ]);
  }
  const hour = (from: number): number => perMinute.slice(from, from + 60).reduce((sum, n) => sum + n, 0);
  const { starts } = usualBudget;
  return [
    {
      title: `${machines} machines ask at once to restart a healthy process, ${restartMs / minuteMs} min each: how many begin`,
      head: ['minutes', 'in each minute', 'together'],
      rows,
      notes: [],
      missed: restarts.length === machines ? [] : [`${machines - restarts.length} machines got no turn`],
    },
    figures('The same beside the limits of the budget as it comes', [
      {
        what: 'restarts begun in a minute, the most',
        value: Math.max(...perMinute),
        unit: '',
        goal: Number(starts.perMinute),
      },
      {
        what: 'restarts begun in an hour, the most',
        value: Math.max(...perMinute.map((_, i) => hour(i))),
        unit: '',
        goal: Number(starts.perHour),
      },
      { what: 'machines restarting at once, the most', value: mostAtOnce, unit: '', goal: machines / 10 },
      { what: 'writes of the ledger for each machine', value: ledgerWrites / machines, unit: '' },
      { what: 'writes of its leave for each machine', value: leaveWrites / machines, unit: '' },
      { what: 'times the budget was asked for each machine', value: asked / machines, unit: '' },
    ]),
  ];
}
