/** What local hosts run: small daemons of our own, since a folder cannot run containerd. The manifests are of the same kinds all the same. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../manifests.ts';

const version = '1.0.0';

export interface LocalComponents {
  readonly manifests: readonly Manifest[];
  /** What a file server must serve, by path. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** @param artifacts address of the file server, without a slash at its end. */
export async function localComponents(artifacts: string): Promise<LocalComponents> {
  const web = await program('web');
  const heartbeat = await program('heartbeat');
  const revisions = [
    revision('settings', {
      files: [
        {
          path: '/etc/demo/settings.json',
          content: '{"greeting": "hello from {{ machine.name }}", "port": {{ variables.port }}}\n',
        },
      ],
      disruption: 'None',
    }),
    daemon('web', web, artifacts, { dependsOn: [{ component: 'settings' }] }),
    daemon('heartbeat', heartbeat, artifacts, {}),
    revision('motd', {
      files: [
        {
          path: '/etc/motd',
          content: 'Held by KubeNode: {{ machine.name }} ({{ host.arch }})\n',
          onChange: 'None',
        },
      ],
      disruption: 'None',
    }),
  ];
  const sets = revisions.map((made) => set(made.spec['component'] as string, made.metadata.name));
  return {
    manifests: [...revisions, ...sets],
    files: new Map([
      [`/web-${version}`, web],
      [`/heartbeat-${version}`, heartbeat],
    ]),
  };
}

/** The program with the running Node in its first line: the host's PATH is not asked. */
async function program(name: string): Promise<Buffer> {
  const source = await readFile(join(import.meta.dirname, `${name}.mjs`), 'utf8');
  return Buffer.from(`#!${process.execPath}\n${source.replace("'VERSION'", `'${version}'`)}`);
}

function daemon(name: string, content: Buffer, artifacts: string, more: Record<string, unknown>): Manifest {
  const path = `/opt/demo/${name}.mjs`;
  return revision(name, {
    artifacts: ['amd64', 'arm64'].map((arch) => ({
      os: 'linux',
      arch,
      file: {
        url: `${artifacts}/${name}-${version}`,
        digest: `sha256:${createHash('sha256').update(content).digest('hex')}`,
        path,
        mode: '0755',
      },
    })),
    unit: {
      name: `${name}.service`,
      content: `[Unit]\nDescription=${name} of the demo\n[Service]\nExecStart=${path}\nRestart=always\n[Install]\nWantedBy=multi-user.target\n`,
    },
    versionCheck: { exec: { command: [path, '--version'] } },
    probes: [
      {
        name: 'answers',
        exec: { command: [path, '--probe'] },
        periodSeconds: 2,
        failureThreshold: 2,
        initialDelaySeconds: 1,
      },
    ],
    ...more,
  });
}

function revision(component: string, spec: Record<string, unknown>): Manifest {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponent',
    metadata: { name: `${component}-${version}-1` },
    spec: { component, version, ...spec },
  };
}

function set(component: string, revision: string): Manifest {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'MachineComponentSet',
    metadata: { name: component },
    spec: {
      component,
      revision,
      ...(component === 'settings' && {
        variables: [{ name: 'port', fromLabel: 'demo-port', default: '18080' }],
      }),
    },
  };
}
