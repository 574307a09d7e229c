import type { ServiceManager } from './ports.ts';

/** How much of a message a program's own words may take, characters: a message as a whole has 512. */
const longest = 380;

/**
 * The end of what a program said, in one line: what it said last says best why it ended. Whole lines, as many as there is room for.
 * @param most characters
 */
export function endOf(said: string, most = longest): string {
  const lines = said.split('\n').flatMap((line) => line.trim() || []);
  let end = lines.pop() ?? '';
  for (let before = lines.pop(); before !== undefined; before = lines.pop()) {
    const longer = `${before}; ${end}`;
    if (longer.length > most) break;
    end = longer;
  }
  return end.length > most ? `${end.slice(0, most - 1)}…` : end;
}

/**
 * What a unit's program said last since a time, epoch milliseconds, to be put behind a message. Where its process ended and another one was
 * started in its place, what the first one said: the other knows nothing of it.
 */
export async function lastWordsOf(services: ServiceManager, unit: string, since: number): Promise<string> {
  const state = (await services.states([unit])).get(unit);
  const { startedAt = since } = state ?? {};
  const ended =
    (state?.restarts ?? 0) > 0 && startedAt > since ? await services.lastWords?.(unit, since, startedAt) : '';
  return logEnds(unit, ended || (await services.lastWords?.(unit, since)));
}

/** The end of a unit's log, to be put behind a message; '' where nothing was said. systemd's own lines would leave no room for the program's. */
export function logEnds(unit: string, said: string | undefined): string {
  const lines = (said ?? '').split('\n').filter((line) => line.trim() !== '');
  const own = lines.filter((line) => !line.startsWith(`${unit}: `) && !/^(Start|Stopp)(ed|ing) /.test(line));
  const end = endOf((own.length > 0 ? own : lines).join('\n'));
  return end === '' ? '' : `; its log ends: ${end}`;
}
