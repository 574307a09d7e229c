/** Many runs of the soak, compared with one that was left alone. */
import { differences, type Ending, soakRun } from './soak-run.ts';

/** Rounds side by side: most of a round is waiting. */
const atOnce = 2;

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
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < rounds) {
      begun += 1;
      const own = seed + begun - 1;
      const name = `round ${begun} of ${rounds} (seed ${own})`;
      const fault = await one(own, undisturbed.ending, (told) => say(`${name}: ${told}`));
      if (fault !== undefined) wrong.push(`${name}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return wrong;
}

/** @returns what went wrong, undefined where it ended as it should. */
async function one(seed: number, expected: Ending, say: (line: string) => void): Promise<string | undefined> {
  let fault: string | undefined;
  try {
    const { ending, kills, durationMs } = await soakRun(seed, expected);
    const lines = differences(expected, ending);
    const killed = `killed ${kills.length} times (${kills.join(', ')} ms)`;
    if (lines.length === 0) say(`the same after ${seconds(durationMs)}; ${killed}`);
    else fault = `ended otherwise; ${killed}\n${lines.join('\n')}`;
  } catch (error) {
    fault = String(error);
  }
  if (fault !== undefined) say(fault);
  return fault;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
