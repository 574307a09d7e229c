/** One small service in revisions that go wrong, each in a way of its own. */
import { gzipSync } from 'node:zlib';
import type { FileServer } from '@kubenode/lab';
import { tar } from '../../packages/agent/src/host/artifacts/tar-builder.ts';

/** How a revision goes wrong, and how it is told. */
export interface BadRevision {
  readonly name: string;
  /** What its bad revision has in place of what the good one has. */
  readonly bad: Readonly<Record<string, unknown>>;
  /** Step that fails. */
  readonly step: RegExp;
  /** The cause, with the last lines of output where there was some. */
  readonly cause: RegExp;
}

const site = 'http://artifacts.lab';

/** The service: answers on its port, says its version, refuses a config that it does not understand, and talks much while it is well. Perl's own core is all it needs. */
const program = (version: string, wrong = ''): string => `#!/usr/bin/perl
use strict; use Socket; $| = 1;
if (($ARGV[0] // '') eq '--version') { print "svc v${version}\\n"; exit 0 }
my ($port, $config) = @ARGV;
open(my $in, '<', $config) or die "svc: $config: $!\\n";
my $line = <$in>; chomp $line;
die "svc: $config line 1: unknown word '$line'\\n" unless $line eq 'serve';
${wrong}
print "svc: has read part $_ of 20\\n" for 1..20;
socket(my $s, PF_INET, SOCK_STREAM, 0); setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1);
bind($s, sockaddr_in($port, INADDR_LOOPBACK)) or die "svc: port $port: $!\\n"; listen($s, 5);
alarm(20) if -e "$config.mortal"; $SIG{ALRM} = sub { print STDERR "svc: lost its mind\\n"; exit 7 };
while (1) { accept(my $c, $s) or next; close $c }
`;

/** Makes the revisions' sources available. @returns what goes wrong, and how a revision of a component is made. */
export async function badRevisions(files: FileServer): Promise<{
  readonly cases: readonly BadRevision[];
  readonly revision: (name: string, number: number, more?: Readonly<Record<string, unknown>>) => object;
}> {
  const pack = async (version: string, wrong?: string): Promise<object[]> => {
    const path = `/svc/svc-${version}${wrong === undefined ? '' : '-bad'}.tar.gz`;
    const digest = await files.put(
      path,
      gzipSync(tar([{ name: 'bin/svc', content: program(version, wrong), mode: 0o755 }])),
    );
    return [{ arch: 'amd64', archive: { url: `${site}${path}`, digest, path: '/opt/NAME' } }];
  };
  const artifacts = new Map<number, object[]>();
  for (const number of [1, 2, 3]) artifacts.set(number, await pack(`1.${number}`));
  const crashing = await pack('1.2', 'die "svc: cannot open the device\\n";');
  const lying = await pack('9.9');
  await files.put('/svc/stalls', 'x');
  files.misbehave('/svc/stalls', { kind: 'hang' });
  const single = (url: string): object[] => [
    {
      arch: 'amd64',
      file: { url, digest: `sha256:${'0'.repeat(64)}`, path: '/opt/NAME/bin/svc', mode: '0755' },
    },
  ];
  const hook = (name: string, command: string[], timeout = '5s'): object => ({
    [name]: { command, timeout },
  });
  const config = (content: string): object => ({ path: '/etc/NAME.conf', content });
  const cases: readonly BadRevision[] = [
    {
      name: 'crashes',
      bad: { artifacts: crashing },
      step: /service|postStart|version|probes/,
      cause: /svc: cannot open the device/,
    },
    {
      name: 'dies-later',
      bad: { files: [config('serve\n'), { path: '/etc/NAME.conf.mortal', content: '' }] },
      step: /observe|probes/,
      cause: /svc: lost its mind/,
    },
    { name: 'lies', bad: { artifacts: lying }, step: /version/, cause: /9\.9/ },
    {
      name: 'hook-fails',
      bad: { hooks: hook('postInstall', ['/bin/sh', '-c', 'echo the hook says no; exit 4']) },
      step: /postInstall/,
      cause: /exit status 4.*the hook says no/s,
    },
    {
      name: 'hook-hangs',
      bad: { hooks: hook('postInstall', ['/bin/sh', '-c', 'echo the hook waits; sleep 1000 & wait'], '3s') },
      step: /postInstall/,
      cause: /did not end within 3 s.*the hook waits/s,
    },
    {
      name: 'bad-config',
      bad: { files: [config('nonsense\n')] },
      step: /service|postStart|version|probes/,
      cause: /line 1: unknown word 'nonsense'/,
    },
    {
      name: 'wrong-digest',
      bad: { artifacts: single(`${site}/svc/svc-1.2.tar.gz`) },
      step: /stage/,
      cause: /digest/,
    },
    { name: 'stalls', bad: { artifacts: single(`${site}/svc/stalls`) }, step: /stage/, cause: /svc\/stalls/ },
  ];
  const revision = (name: string, number: number, more: Readonly<Record<string, unknown>> = {}): object => {
    const port = 7100 + cases.findIndex((one) => one.name === name);
    const spec = {
      component: name,
      version: `1.${number}`,
      artifacts: artifacts.get(number),
      files: [config('serve\n')],
      unit: {
        name: `${name}.service`,
        content: `[Service]\nExecStart=/opt/NAME/bin/svc ${port} /etc/NAME.conf\nRestart=always\nRestartSec=1\n`,
      },
      versionCheck: { exec: { command: ['/opt/NAME/bin/svc', '--version'] } },
      probes: [{ name: 'answers', tcpSocket: { port }, periodSeconds: 2, failureThreshold: 2 }],
      progressDeadline: '20s',
      ...more,
    };
    return {
      apiVersion: 'kubenode.io/v1alpha1',
      kind: 'MachineComponent',
      metadata: { name: `${name}-${number}` },
      spec: JSON.parse(JSON.stringify(spec).replaceAll('NAME', name)) as object,
    };
  };
  return { cases, revision };
}
