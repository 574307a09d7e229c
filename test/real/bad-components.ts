/** Components that cannot be brought to a host, each for a reason of its own. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { FileServer, LabHost } from '@kubenode/lab';
import { tar } from '../../packages/agent/src/host/artifacts/tar-builder.ts';

export interface BadComponent {
  readonly name: string;
  /** What its revision has besides a name and a version. */
  readonly spec: object;
  /** What its status and the event say: the cause, and what to do. */
  readonly says: RegExp;
  /** Reason of the event. */
  readonly reason: string;
}

const wrongDigest = `sha256:${'0'.repeat(64)}`;
const site = 'http://artifacts.lab';

/** Serves what they are made of, and makes the host as they need it: a full file system, a port that is taken. */
export async function badComponents(files: FileServer, host: LabHost): Promise<readonly BadComponent[]> {
  const good = await files.put('/good', 'good\n');
  const big = await files.put('/big', Buffer.alloc(1024 * 1024, 'x'));
  await files.put('/hanging', 'x');
  files.misbehave('/hanging', { kind: 'truncate', bytes: 0 });
  const whole = gzipSync(
    tar([{ name: 'bin/tool', content: createHash('sha256').update('x').digest('hex').repeat(400) }]),
  );
  const archives = {
    truncated: whole.subarray(0, Math.floor(whole.length / 2)),
    climbing: gzipSync(tar([{ name: '../../etc/evil', content: 'evil' }])),
    linking: gzipSync(
      tar([
        { name: 'link', type: '2', target: '/etc' },
        { name: 'link/evil', content: 'evil' },
      ]),
    ),
  };
  const digests: Record<string, string> = {};
  for (const [name, content] of Object.entries(archives))
    digests[name] = await files.put(`/${name}.tar.gz`, content);
  await host.exec(['mkdir', '-p', '/full']);
  await host.exec(['mount', '-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', '/full']);
  await host.exec(['systemd-run', '--unit=holder', '/usr/bin/perl', '-e', listen]);

  const file = (url: string, digest: string, path = '/bad/file') => ({
    artifacts: [{ arch: 'amd64', file: { url, digest, path, mode: '0644' } }],
  });
  const archive = (name: string) => ({
    artifacts: [
      {
        arch: 'amd64',
        archive: { url: `${site}/${name}.tar.gz`, digest: digests[name] ?? '', path: '/bad/archive' },
      },
    ],
  });
  const note = { files: [{ path: '/bad/note', content: 'never written\n' }] };
  const failed = 'InstallFailed';
  return [
    {
      name: 'wrong-digest',
      spec: file(`${site}/good`, wrongDigest),
      says: /good has digest sha256:\w+ and the revision says sha256:0+.*correct the digest/s,
      reason: failed,
    },
    {
      name: 'no-answer',
      spec: file(`${site}:81/good`, good),
      says: /artifacts\.lab:81.*check the address/s,
      reason: failed,
    },
    {
      name: 'not-found',
      spec: file(`${site}/nowhere`, good),
      says: /answered 404.*correct the address in the revision/s,
      reason: failed,
    },
    {
      name: 'stops',
      spec: file(`${site}/hanging`, wrongDigest),
      says: /\/hanging.*check the address, the network/s,
      reason: failed,
    },
    {
      name: 'truncated-archive',
      spec: archive('truncated'),
      says: /truncated\.tar\.gz.*truncated|truncated\.tar\.gz.*(ends|damaged|unexpected)/s,
      reason: failed,
    },
    {
      name: 'climbing-archive',
      spec: archive('climbing'),
      says: /climbing\.tar\.gz is refused.*\.\.\/.*nothing of it was used.*make a new revision/s,
      reason: failed,
    },
    {
      name: 'linking-archive',
      spec: archive('linking'),
      says: /linking\.tar\.gz is refused.*link.*nothing of it was used.*make a new revision/s,
      reason: failed,
    },
    {
      name: 'unknown-variable',
      spec: { files: [{ path: '/bad/config', content: 'disk = {{ variables.disk }}\n' }] },
      says: /unknown variable variables\.disk.*spec\.variables/s,
      reason: 'UnknownVariable',
    },
    {
      name: 'unit-unparsable',
      spec: {
        unit: { name: 'unparsable.service', content: '[Service\nExecStart=nothing\n' },
        progressDeadline: '10s',
      },
      says: /unparsable\.service/,
      reason: failed,
    },
    {
      name: 'depends-on-nothing',
      spec: { ...note, dependsOn: [{ component: 'nothing' }] },
      says: /spec\.dependsOn names nothing, which is not assigned.*MachineComponentSet/s,
      reason: 'DependencyMissing',
    },
    {
      name: 'circle-a',
      spec: { ...note, dependsOn: [{ component: 'circle-b' }] },
      says: /circle: circle-\w -> circle-\w -> circle-\w.*spec\.dependsOn/s,
      reason: 'DependencyCircle',
    },
    {
      name: 'circle-b',
      spec: { ...note, dependsOn: [{ component: 'circle-a' }] },
      says: /circle: circle-\w -> circle-\w -> circle-\w.*spec\.dependsOn/s,
      reason: 'DependencyCircle',
    },
    {
      name: 'other-architecture',
      spec: {
        artifacts: [
          { arch: 'riscv64', file: { url: `${site}/good`, digest: good, path: '/bad/x', mode: '0644' } },
        ],
      },
      says: /spec\.artifacts has none for linux\/amd64.*make a revision/s,
      reason: 'NoArtifact',
    },
    {
      name: 'full-disk',
      spec: file(`${site}/big`, big, '/full/file'),
      says: /\/full.*(space|room)/s,
      reason: failed,
    },
    {
      name: 'port-taken',
      spec: {
        unit: {
          name: 'port-taken.service',
          content: `[Service]\nExecStart=/usr/bin/perl -e '${listen}'\nRestart=no\n`,
        },
        progressDeadline: '10s',
      },
      says: /port-taken\.service.*port 7777 is taken/s,
      reason: failed,
    },
  ];
}

/** A server, as a line of Perl that needs nothing but Perl's own core. */
const listen =
  'use Socket; socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(7777, INADDR_LOOPBACK)) or die qq(port 7777 is taken: $!); listen(S, 5); sleep';
