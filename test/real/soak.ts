/** Many runs of the soak, compared with one that was left alone. */
import { differences, soakRun } from './soak-run.ts';

/**
 * @param rounds how many, after the undisturbed one
 * @param seed of the first round; the next has the next number
 * @returns what went wrong, a text for each round that did not end as the undisturbed one
 */
export async function soak(rounds: number, seed: number, say: (line: string) => void): Promise<string[]> {
  const undisturbed = await soakRun(undefined);
  say(
    `undisturbed: Ready after ${seconds(undisturbed.durationMs)}, ${undisturbed.ending.host.length} changes on the host`,
  );
  const wrong: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const own = seed + round - 1;
    const name = `round ${round} of ${rounds} (seed ${own})`;
    try {
      const { ending, kills, durationMs } = await soakRun(own, undisturbed.ending);
      const lines = differences(undisturbed.ending, ending);
      const killed = `killed ${kills.length} times (${kills.join(', ')} ms)`;
      if (lines.length === 0) say(`${name}: the same after ${seconds(durationMs)}; ${killed}`);
      else wrong.push(`${name}: ended otherwise; ${killed}\n${lines.join('\n')}`);
    } catch (error) {
      wrong.push(`${name}: ${String(error)}`);
    }
    const last = wrong.at(-1);
    if (last?.startsWith(name)) say(last);
  }
  return wrong;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
