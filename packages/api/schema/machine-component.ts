/** MachineComponent: one immutable revision of one component. */
import { z } from 'zod';
import {
  atomicList,
  choice,
  count,
  digest,
  duration,
  exactlyOne,
  hostFolder,
  hostPath,
  mode,
  name,
  nonEmpty,
  object,
  patterned,
  text,
} from './fields.ts';

const command = (description: string) => atomicList(description, z.string().max(4096), 64).min(1);
const url = (description: string) => patterned(description, '^https?://[^\\s]+$', 2048);
const owner = () =>
  patterned(
    'user:group, by name or number.',
    '^[A-Za-z0-9_][-A-Za-z0-9_.]*(:[A-Za-z0-9_][-A-Za-z0-9_.]*)?$',
    65,
  );

const artifact = object(
  'Artifact',
  'Software for one operating system and architecture.',
  {
    os: nonEmpty('Operating system, in the words of Go: linux.', 32).default('linux'),
    arch: nonEmpty('Architecture, in the words of Go: amd64, arm64.', 32),
    archive: object('ArchiveArtifact', 'A tar archive, plain or compressed by gzip, that is unpacked.', {
      url: url('Where it is downloaded from.'),
      digest: digest('Digest of the archive.'),
      path: hostFolder('Folder that it is unpacked into.'),
    }).optional(),
    file: object('FileArtifact', 'A single file.', {
      url: url('Where it is downloaded from.'),
      digest: digest('Digest of the file.'),
      path: hostPath('Where it is put.'),
      mode: mode('Permissions.').default('0755'),
    }).optional(),
    oci: object('OCIArtifact', 'The layers of an image in an OCI registry, unpacked.', {
      image: patterned(
        'Image, by digest: registry/repository@sha256:...',
        '^[^\\s@]+/[^\\s@]+@sha256:[a-f0-9]{64}$',
        512,
      ),
      path: hostFolder('Folder that the layers are unpacked into.').default('/'),
    }).optional(),
    package: object('PackageArtifact', 'A Debian package.', {
      name: patterned('Name of the package.', '^[a-z0-9][a-z0-9+.-]+$', 128),
      version: patterned('Exact version of the package.', '^[0-9A-Za-z][0-9A-Za-z.+:~-]*$', 128),
      digest: digest('Digest of the .deb file.'),
      url: url("Where the .deb is downloaded from; left out: through the host's apt.").optional(),
    }).optional(),
  },
  [exactlyOne(['archive', 'file', 'oci', 'package'])],
);

const file = object('ComponentFile', 'A file that the component needs, rendered on the host.', {
  path: hostPath('Where it stands.'),
  mode: mode('Permissions.').default('0644'),
  owner: owner().default('root:root'),
  onChange: choice('What the unit needs when this file changes.', ['None', 'Reload', 'Restart']).default(
    'Restart',
  ),
  content: text(
    'What stands in it. {{ variables.x }}, {{ machine.name }}, {{ machine.nodeName }}, {{ host.arch }}, {{ host.address }}, {{ host.hostname }} are put in.',
    262_144,
  ),
});

const hook = (description: string) =>
  object('Hook', description, {
    command: command('Program and arguments; no shell is put around them.'),
    timeout: duration('It is ended after this time, which counts as failed.').default('60s'),
  })
    .meta({ description })
    .optional();

const execAction = object('ExecAction', 'A program to run; exit status 0 is success.', {
  command: command('Program and arguments.'),
});

const probe = object(
  'ComponentProbe',
  'A regular check that the component works. Exactly one of exec, httpGet and tcpSocket.',
  {
    name: nonEmpty('Name, for messages.', 63),
    exec: execAction.optional(),
    httpGet: object('HTTPGetAction', 'A request that must be answered with a status from 200 to 399.', {
      host: text('Address to connect to.', 253).default('127.0.0.1'),
      port: count('Port.', 1, 65_535),
      path: text('Path and query.', 1024).default('/'),
      scheme: choice('HTTP or HTTPS (whose certificate is not checked, as for pods).', [
        'HTTP',
        'HTTPS',
      ]).default('HTTP'),
    }).optional(),
    tcpSocket: object('TCPSocketAction', 'A connection that must be accepted.', {
      host: text('Address to connect to.', 253).default('127.0.0.1'),
      port: count('Port.', 1, 65_535),
    }).optional(),
    periodSeconds: count('Seconds between two checks.', 1, 86_400).default(10),
    timeoutSeconds: count('Seconds after which a check has failed.', 1, 3600).default(5),
    failureThreshold: count(
      'Failures in a row before the component counts as not running right.',
      1,
      100,
    ).default(3),
    initialDelaySeconds: count('Seconds after a start during which failures do not count.', 0, 3600).default(
      0,
    ),
  },
  [exactlyOne(['exec', 'httpGet', 'tcpSocket'])],
);

export const machineComponentSpec = object(
  'MachineComponentSpec',
  'One revision of one component. Immutable.',
  {
    component: name('Name of the component. A machine runs one revision of it at a time.'),
    version: nonEmpty('Version of the software, which the version check must find.', 128),
    artifacts: atomicList(
      'The first whose os and arch fit the host is used. None: the component brings files and units only.',
      artifact,
      16,
    ).default([]),
    files: atomicList('Files beside the artifact.', file, 64, [
      { rule: 'self.all(a, self.exists_one(b, b.path == a.path))', message: 'two files have the same path' },
    ]).default([]),
    unit: object('ComponentUnit', 'The systemd unit that runs it.', {
      name: patterned(
        'Name of the unit.',
        '^[A-Za-z0-9:_.@-]+\\.(service|socket|timer|path|mount|target)$',
        128,
      ),
      content: text(
        'The unit file, rendered as files are; left out: the unit that the package brings.',
        65_536,
      ).optional(),
    }).optional(),
    hooks: object('ComponentHooks', 'Programs that run at steps of installation and removal.', {
      preInstall: hook('Before anything of the revision is switched in.'),
      postInstall: hook('When files and artifacts are in place, before the start.'),
      preStop: hook('Before the unit is stopped or restarted.'),
      postStart: hook('After the unit is started.'),
      preRemove: hook('Before the component is removed.'),
    }).optional(),
    versionCheck: object('VersionCheck', 'How the running version is asked for.', {
      exec: execAction,
      pattern: text(
        'Regular expression on the output (linear time, as Go has them); its first group, or all of the match, is the version.',
        256,
      ).default('v?(\\d\\S*)'),
    }).optional(),
    probes: atomicList('Checks that it works.', probe, 8, [
      { rule: 'self.all(a, self.exists_one(b, b.name == a.name))', message: 'two probes have the same name' },
    ]).default([]),
    dependsOn: atomicList(
      'Components that must be Ready on the machine before this one is brought in.',
      object('ComponentDependency', 'One dependency.', {
        component: name('Name of the component.'),
        minVersion: nonEmpty('Its oldest version that will do; left out: any.', 128).optional(),
      }),
      16,
    ).default([]),
    disruption: choice('What bringing it in costs the machine.', [
      'None',
      'Reload',
      'Restart',
      'Drain',
      'Reboot',
    ]).default('Restart'),
    progressDeadline: duration('It must be healthy this long after it was begun.').default('5m'),
    onFailure: choice(
      'When it is not healthy in time: Rollback to the last good revision, or Hold where going back is unsafe.',
      ['Rollback', 'Hold'],
    ).default('Rollback'),
  },
  [
    {
      rule: '!self.dependsOn.exists(d, d.component == self.component)',
      message: 'a component cannot depend on itself',
    },
    {
      rule: 'self.artifacts.size() > 0 || self.files.size() > 0 || has(self.unit)',
      message: 'a component needs at least one of artifacts, files and unit',
    },
  ],
);

export const machineComponent = object(
  'MachineComponent',
  'One immutable revision of one component of a machine.',
  {
    spec: machineComponentSpec.meta({
      title: 'MachineComponentSpec',
      description: 'One revision of one component. Immutable.',
      'x-kubernetes-validations': [
        {
          rule: 'self == oldSelf',
          message: 'a revision is immutable: make a new MachineComponent and name it in the set',
        },
        ...((machineComponentSpec.meta()?.['x-kubernetes-validations'] as []) ?? []),
      ],
    }),
  },
);
