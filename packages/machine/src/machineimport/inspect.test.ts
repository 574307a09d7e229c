import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { hostPaths } from './host.ts';
import { type HostFacts, objection, parseFacts, readFacts } from './inspect.ts';
import { localShell } from './local-shell.ts';

const now = Date.parse('2026-03-01T10:00:00Z');
const good: HostFacts = {
  os: 'Linux',
  arch: 'amd64',
  kernel: '6.1.0',
  time: now / 1000,
  machineID: 'abc',
  systemd: true,
  sha256sum: true,
  glibc: '2.36',
  free: { agents: 2_000_000, state: 2_000_000, etc: 2_000_000 },
  readonly: [],
  agent: 'inactive',
  identity: false,
  config: undefined,
};
const want = { now, machine: 'n17', server: 'https://10.0.0.1:6443', archs: ['amd64', 'arm64'] };
const judge = (over: Partial<HostFacts>): string | undefined =>
  objection({ ...good, ...over }, hostPaths(), want);

describe('a host before it is imported', () => {
  test('that is all right', () => {
    assert.equal(judge({}), undefined);
    assert.equal(judge({ config: { machine: 'n17' } }), undefined);
    assert.equal(judge({ config: {} }), undefined);
    assert.equal(judge({ time: now / 1000 + 200, systemd: false }), undefined);
  });
  const stories: [string, Partial<HostFacts>, RegExp][] = [
    ['not Linux', { os: 'FreeBSD' }, /runs FreeBSD; only Linux/],
    [
      'an architecture without an agent',
      { arch: 'riscv64' },
      /riscv64; the operator has one for amd64, arm64/,
    ],
    ['no GNU C library', { glibc: undefined }, /no GNU C library/],
    ['one that is too old', { glibc: '2.27' }, /glibc 2\.27; the agent needs 2\.28/],
    ['a clock wrong by a day', { time: now / 1000 - 86_400 }, /24 hours behind.*set it/],
    ['a clock ahead by minutes', { time: now / 1000 + 600 }, /10 minutes ahead/],
    [
      'a full disk',
      { free: { ...good.free, agents: 1000 } },
      /\/opt\/kubenode\/agent has room for 0 MiB, 512 MiB/,
    ],
    ['a disk that cannot be written to', { readonly: ['/etc'] }, /\/etc cannot be written to/],
    [
      'taken by another machine',
      { identity: true, config: { machine: 'n18', server: 'https://other' } },
      /already Machine n18 of https:\/\/other/,
    ],
    [
      'on its way to another machine',
      { config: { machine: 'n18', server: 'https://other' } },
      /on its way to be Machine n18 of https:\/\/other .*rm \/etc\/kubenode\/agent\.json/,
    ],
  ];
  for (const [what, facts, message] of stories) {
    test(`with ${what} is refused, with what to do`, () => assert.match(judge(facts) ?? '', message));
  }

  test('is read by one command that changes nothing', async () => {
    const facts = await readFacts(localShell(), hostPaths());
    assert.equal(facts.os, 'Linux');
    assert.ok(['amd64', 'arm64'].includes(facts.arch));
    assert.ok(Math.abs(facts.time * 1000 - Date.now()) < 60_000);
    assert.ok((facts.free['etc'] ?? 0) > 0);
  });
  test('with a configuration that is no JSON, or another language in its answers, is still read', () => {
    const facts = parseFacts('os Linux\narch aarch64\nconfig {"machine": \nfree.etc 12\n\nnonsense\n');
    assert.equal(facts.arch, 'arm64');
    assert.deepEqual(facts.config, {});
    assert.deepEqual(facts.free, { etc: 12 });
  });
});
