import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MachineComponentSpec } from '@kubenode/api';
import { agentUnit } from '../config.ts';
import type { Desired } from '../desired/desired.ts';
import { sha256, unitFolder } from '../plan/goal.ts';
import { daemon, desired, silent, spec, stateFolder, Story } from '../testing/stories.ts';
import { armedGuard, firedGuard, giveUp, release } from './guard.ts';
import { agentExecutable, previousFolder } from './own.ts';
import { watchOver } from './watch-over.ts';

const unitText = `[Service]\nExecStart=${agentExecutable} run\n`;
const revisionOf = (version: string): string => `kubenode-agent-${version}`;

/** A revision of the agent, and its executable on the memory host. */
function agentSpec(
  story: Story,
  version: string,
  program = `agent ${version}`,
  fields: Partial<MachineComponentSpec> = {},
): MachineComponentSpec {
  const url = `http://files/kubenode-agent-${version}`;
  story.host.behaviour.artifacts.set(url, { 'kubenode-agent': program });
  return spec({
    component: 'kubenode-agent',
    version,
    artifacts: [
      {
        os: 'linux',
        arch: 'amd64',
        file: { url, digest: sha256(program), path: agentExecutable, mode: '0755' },
      },
    ],
    unit: { name: agentUnit, content: unitText },
    versionCheck: { exec: { command: [agentExecutable, '--version'] }, pattern: 'v?(\\d\\S*)' },
    progressDeadline: '20s',
    ...fields,
  });
}

/** A host whose agent is what its unit runs: a program called `agent V` works, any other does nothing. */
class AgentStory extends Story {
  wanted: Desired | undefined;
  isRunning = false;

  constructor() {
    super();
    const { services } = this.host;
    const restart = services.restart.bind(services);
    const stop = services.stop.bind(services);
    services.restart = async (unit) => {
      if (this.program === 'crash') this.host.behaviour.failing.add(agentUnit);
      else this.host.behaviour.failing.delete(agentUnit);
      await restart(unit);
      if (unit === agentUnit) await this.boot();
    };
    services.stop = async (unit) => {
      await stop(unit);
      if (unit === agentUnit) await this.end();
    };
  }
  get program(): string {
    return this.host.files.text(agentExecutable) ?? '';
  }
  /** The agent as an import left it. */
  async imported(version: string): Promise<void> {
    this.host.files.harm(agentExecutable, `agent ${version}`, 0o755);
    this.host.files.harm(`${unitFolder}/${agentUnit}`, unitText);
    await this.host.services.runs(agentUnit);
    await this.boot();
  }
  async boot(): Promise<void> {
    await this.end();
    const version = /^agent (.*)$/.exec(this.program)?.[1];
    if (version === undefined) return;
    this.host.behaviour.commands.set(`${agentExecutable} --version`, { output: version });
    this.isRunning = true;
    this.start(this.wanted);
  }
  async end(): Promise<void> {
    if (this.isRunning) await this.stop();
    this.isRunning = false;
  }
  wants(state: Desired): void {
    this.wanted = state;
    this.want(state);
  }
  /** Has the watchdog look until it ends. */
  async watchdog(): Promise<void> {
    const { host, clock } = this;
    let ended = false;
    const run = watchOver({ host, stateFolder, clock, log: silent }, new AbortController().signal);
    const noteEnd = (): void => {
      ended = true;
    };
    run.then(noteEnd, noteEnd);
    await this.until(() => ended, 120_000);
    await run;
  }
  get leftOver(): readonly string[] {
    return [...this.host.files.nodes.keys()].filter(
      (path) => path.includes('watchdog') || path.startsWith(previousFolder) || path.includes('selfupgrade'),
    );
  }
  isBackOn(version: string): boolean {
    const status = this.status('kubenode-agent');
    return (
      this.isRunning &&
      status?.state === 'Failed' &&
      status.running === revisionOf(version) &&
      this.component('kubenode-agent')?.judgement !== undefined &&
      this.leftOver.length === 0
    );
  }
}

/** An agent 1 that was taken over as a component. */
async function adopted(
  more: (story: Story) => readonly MachineComponentSpec[] = () => [],
): Promise<AgentStory> {
  const story = new AgentStory();
  await story.imported('1');
  story.wants(desired([agentSpec(story, '1'), ...more(story)]));
  await story.ready('kubenode-agent', revisionOf('1'));
  return story;
}

test('the agent that an import brought is adopted without a restart, and absent it is left where it is', async () => {
  const story = await adopted();
  const touched = story.host.effects.filter((effect) => !effect.includes(stateFolder));
  assert.deepEqual(touched, []);
  story.wants(desired([agentSpec(story, '1')], { 'kubenode-agent': { state: 'Absent' } }));
  await story.until(() => story.status('kubenode-agent')?.running === undefined);
  assert.equal(story.program, 'agent 1');
  assert.ok(story.host.services.pidOf(agentUnit) > 0);
  await story.end();
});

test('an upgrade ends with the new agent, without its watchdog, and other components go on running', async () => {
  const story = await adopted((story) => [daemon(story.host, '1.0')]);
  await story.ready('daemon', 'daemon-1.0');
  const other = story.host.services.pidOf('daemon.service');
  const own = story.host.services.pidOf(agentUnit);
  story.wants(desired([agentSpec(story, '2'), daemon(story.host, '1.0')]));
  await story.ready('kubenode-agent', revisionOf('2'));
  await story.until(() => story.leftOver.length === 0);
  assert.equal(story.program, 'agent 2');
  assert.notEqual(story.host.services.pidOf(agentUnit), own);
  assert.equal(story.host.services.pidOf('daemon.service'), other);
  assert.equal(story.host.effects.filter((effect) => effect === `restart ${agentUnit}`).length, 1);
  await story.end();
});

test('an upgrade during which the agent is killed before any effect ends as if nothing had been', async () => {
  let effects = 1;
  for (let kill = 0; kill < effects; kill++) {
    const story = await adopted();
    await story.end();
    const { host } = story;
    story.wanted = desired([agentSpec(story, '2')]);
    const first = host.effects.length;
    let left = kill === 0 ? Number.POSITIVE_INFINITY : kill;
    host.onEffect = (what) => {
      if (left-- <= 0) throw new Error(`killed before ${what}`);
    };
    await story.boot();
    const ended = (): boolean =>
      story.status('kubenode-agent')?.state === 'Ready' &&
      story.status('kubenode-agent')?.running === revisionOf('2') &&
      story.leftOver.length === 0;
    await story.until(() => left < 0 || ended(), 120_000);
    if (kill === 0) effects = host.effects.length - first;
    else {
      await story.end();
      host.onEffect = () => undefined;
      // systemd starts it again, as another process.
      await host.services.runs(agentUnit);
      await story.boot();
    }
    await story.until(ended, 120_000);
    assert.equal(story.program, 'agent 2', `killed before effect ${kill}`);
    assert.deepEqual([...host.services.enabled], [agentUnit]);
    await story.end();
  }
  assert.ok(effects > 10, 'an upgrade has effects');
});

const bad: readonly {
  readonly name: string;
  readonly program: string;
  readonly version?: string;
  readonly step: string;
  readonly says: RegExp;
  readonly begin?: (story: AgentStory) => void;
}[] = [
  {
    name: 'that does not stay up',
    program: 'crash',
    step: 'watchdog',
    says: /kubenode-agent\.service does not stay up/,
  },
  {
    name: 'that runs and never reports',
    program: 'sleep',
    step: 'watchdog',
    says: /did not report within 40 s/,
  },
  {
    name: 'of another version than its revision says',
    program: 'agent 3',
    step: 'version',
    says: /does not find 2: it says 3/,
  },
  {
    name: 'that works and does not reach the API server',
    program: 'agent 2',
    step: 'report',
    says: /could not report to the API server within 20 s/,
    begin: (story) => {
      story.telling = { isOnline: true, confirm: () => false };
    },
  },
];

/** An upgrade to a bad agent, as far as the watchdog has something to do. */
async function upgradedTo({ program, begin }: (typeof bad)[number]): Promise<AgentStory> {
  const story = await adopted();
  begin?.(story);
  story.wants(desired([agentSpec(story, '2', program)]));
  await story.until(() => story.program === program);
  await story.until(() => story.host.effects.includes(`restart ${agentUnit}`));
  return story;
}

for (const upgrade of bad) {
  test(`an agent ${upgrade.name} is replaced by the one before, which says why and does not try again`, async () => {
    const story = await upgradedTo(upgrade);
    await story.watchdog();
    await story.until(() => story.isBackOn('1'));
    const failed = story.status('kubenode-agent')?.failed;
    assert.equal(failed?.step, upgrade.step);
    assert.equal(failed?.revision, revisionOf('2'));
    assert.match(failed?.message ?? '', upgrade.says);
    const { length } = story.host.effects;
    await story.clock.advance(600_000);
    assert.deepEqual(
      story.host.effects.slice(length).filter((effect) => effect.includes(agentUnit)),
      [],
    );
    story.telling = { isOnline: true, confirm: () => true };
    await story.boot();
    story.wants(desired([agentSpec(story, '2.1')]));
    await story.ready('kubenode-agent', revisionOf('2.1'));
    assert.equal(story.status('kubenode-agent')?.failed, undefined);
    await story.end();
  });
}

test('a watchdog that is killed before any effect of its own brings the agent before back all the same', async () => {
  const [upgrade] = bad.filter(({ program }) => program === 'sleep');
  assert.ok(upgrade);
  let effects = 1;
  for (let kill = 0; kill < effects; kill++) {
    const story = await upgradedTo(upgrade);
    const { host } = story;
    const first = host.effects.length;
    let left = kill === 0 ? Number.POSITIVE_INFINITY : kill;
    host.onEffect = (what) => {
      if (left-- <= 0) throw new Error(`killed before ${what}`);
    };
    await story.watchdog().catch(() => undefined);
    if (kill === 0) effects = host.effects.length - first;
    host.onEffect = () => undefined;
    if ((await armedGuard(host, stateFolder)) ?? (await firedGuard(host, stateFolder)))
      await story.watchdog();
    await story.until(() => story.isBackOn('1'));
    assert.equal(story.program, 'agent 1', `killed before effect ${kill}`);
    await story.end();
  }
  assert.ok(effects > 5, 'bringing back has effects');
});

test('of commit and watchdog the first one decides', async () => {
  const story = await upgradedTo({ name: '', program: 'sleep', step: '', says: / / });
  const { host } = story;
  assert.equal(await giveUp(host, stateFolder, { step: 'watchdog', message: 'late' }), true);
  await assert.rejects(release(host, stateFolder), /given this agent up/);
  const other = await upgradedTo({ name: '', program: 'sleep', step: '', says: / / });
  await release(other.host, stateFolder);
  assert.equal(await giveUp(other.host, stateFolder, { step: 'watchdog', message: 'late' }), false);
  const { length } = other.host.effects;
  await other.watchdog();
  assert.equal(other.host.effects.length, length, 'the watchdog has nothing to do');
});

test('where the agent before had nobody to report to, the new one is good when it runs on', async () => {
  const story = await adopted();
  story.telling = { isOnline: false, confirm: () => false };
  await story.boot();
  story.wants(desired([agentSpec(story, '2')]));
  await story.ready('kubenode-agent', revisionOf('2'));
  await story.end();
});

test('an agent that was never a component and whose upgrade fails is back as it was', async () => {
  const story = new AgentStory();
  await story.imported('1');
  story.wants(desired([agentSpec(story, '2', 'sleep')]));
  await story.until(() => story.program === 'sleep');
  await story.watchdog();
  await story.until(() => story.status('kubenode-agent')?.state === 'Failed' && story.leftOver.length === 0);
  assert.equal(story.program, 'agent 1');
  assert.equal(story.status('kubenode-agent')?.failed?.step, 'watchdog');
  await story.end();
});

test('a revision that comes while the new agent is not proven goes back to the first where it fails', async () => {
  const story = await adopted();
  story.telling = { isOnline: true, confirm: () => false };
  story.wants(desired([agentSpec(story, '2')]));
  await story.until(
    () => story.program === 'agent 2' && story.component('kubenode-agent')?.operation?.step === 'report',
  );
  story.wants(desired([agentSpec(story, '3', 'sleep')]));
  await story.until(() => story.program === 'sleep' && !story.isRunning);
  await story.watchdog();
  await story.until(() => story.isBackOn('1'));
  assert.equal(story.program, 'agent 1');
  assert.equal(story.status('kubenode-agent')?.failed?.revision, revisionOf('3'));
  await story.end();
});

test('what a newer agent has written of a component is held as it is, and said', async () => {
  const story = await adopted((story) => [daemon(story.host, '1.0')]);
  await story.ready('daemon', 'daemon-1.0');
  await story.end();
  const file = `${stateFolder}/components/daemon.json`;
  const newer = JSON.stringify({ format: 99, all: 'is different' });
  story.host.files.harm(file, newer);
  story.wanted = desired([agentSpec(story, '1'), daemon(story.host, '1.1')]);
  await story.boot();
  await story.until(() => story.events.some((event) => event.includes('StateNewer')));
  assert.match(story.status('daemon')?.message ?? '', /a newer agent has written.*Upgrade the agent/);
  assert.equal(story.host.files.text(file), newer);
  assert.equal(story.host.files.text('/opt/daemon/bin/daemon'), 'program 1.0');
  await story.end();
});
