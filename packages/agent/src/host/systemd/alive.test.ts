import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fakeClock } from '@kubenode/runtime';
import type { RunResult } from '../../ports.ts';
import { stayAlive } from './alive.ts';

interface Given {
  readonly env: Readonly<Record<string, string>>;
  readonly exitCode?: number;
}

/** What systemd is told within ten minutes, and what is warned of. */
async function told({ env, exitCode = 0 }: Given): Promise<{ words: string[]; warnings: number }> {
  const clock = fakeClock(0);
  const words: string[] = [];
  let warnings = 0;
  const stop = new AbortController();
  const run = ({ command }: { readonly command: readonly string[] }): Promise<RunResult> => {
    words.push(command.slice(1).join(' '));
    return Promise.resolve({ exitCode, timedOut: false, output: '' });
  };
  const ended = stayAlive({ env, run, clock, warn: () => (warnings += 1) }, stop.signal);
  for (let i = 0; i < 600; i += 1) await clock.advance(1000);
  stop.abort();
  await ended;
  return { words, warnings };
}

test('an agent tells systemd three times in the time after which it is killed that it lives', async () => {
  const { words } = await told({ env: { NOTIFY_SOCKET: '/run/systemd/notify' } });
  assert.deepEqual(words.slice(0, 2), ['WATCHDOG_USEC=180000000 WATCHDOG=1', 'WATCHDOG=1']);
  assert.equal(words.length, 1 + 10);
});

test('within the time that its unit says', async () => {
  const { words } = await told({ env: { NOTIFY_SOCKET: '@x', WATCHDOG_USEC: '6000000' } });
  assert.equal(words[0], 'WATCHDOG_USEC=6000000 WATCHDOG=1');
  assert.equal(words.length, 1 + 300);
});

test('one that systemd does not hear, or that runs without it, is not killed for that', async () => {
  assert.deepEqual(await told({ env: {} }), { words: [], warnings: 0 });
  const deaf = await told({ env: { NOTIFY_SOCKET: '/run/systemd/notify' }, exitCode: 127 });
  assert.deepEqual([deaf.words.length, deaf.warnings], [1, 1]);
});
