/** MachineImport: the durable record of taking over a host that is already there. */
import {
  atomicList,
  choice,
  conditions,
  count,
  flag,
  name,
  nonEmpty,
  object,
  observedGeneration,
  patterned,
  stringMap,
  text,
  time,
} from './fields.ts';
import { nodeName, nodeTemplate } from './machine.ts';

export const machineImport = object(
  'MachineImport',
  'The record of taking over a host that is already there.',
  {
    spec: object('MachineImportSpec', 'What should be.', {
      state: choice(
        'Planned changes nothing on the host and lists what would change. Imported takes it over. Reverted brings back what was.',
        ['Planned', 'Imported', 'Reverted'],
      ).default('Planned'),
      ssh: object('SSHTarget', 'How the host is reached.', {
        address: nonEmpty('Address or name of the host.'),
        port: count('Port of sshd.', 1, 65_535).default(22),
        user: patterned(
          'User; root, or one who may sudo without a password.',
          '^[a-z_][a-z0-9_-]*$',
          32,
        ).default('root'),
        hostKey: text(
          'Public key of the host, as ssh-keyscan prints it: "ssh-ed25519 AAAA...". Without it the import stops and shows the key it saw.',
          2048,
        ).optional(),
        keySecretName: name(
          "Secret in the operator's namespace with the private key, under the key ssh-privatekey.",
        ),
      }),
      machine: object('ImportedMachine', 'The Machine that is made.', {
        name: name('Name of the Machine.').meta({
          'x-kubernetes-validations': [
            {
              rule: 'self == oldSelf',
              message: 'the name of the machine cannot change: make another MachineImport',
            },
          ],
        }),
        labels: stringMap('Labels of the Machine.', 64, 63).optional(),
        nodeName: nodeName().optional(),
        node: nodeTemplate.optional(),
      }),
      retryToken: text(
        'Change it to have a failed import tried again at once, from where it stopped.',
        64,
      ).default(''),
    }),
    status: object('MachineImportStatus', 'What is.', {
      observedGeneration: observedGeneration().optional(),
      phase: choice('A summary for people.', [
        'Pending',
        'Planning',
        'Planned',
        'Importing',
        'Imported',
        'Reverting',
        'Reverted',
        'Failed',
      ]).optional(),
      conditions: conditions('Ready: spec.state is reached. Connected: the host answers by ssh.').optional(),
      plan: atomicList(
        'What an import would change on the host.',
        object('PlannedChange', 'One change.', {
          component: text('Name of the component.'),
          action: text('What would be done.', 64),
          target: text('To what: a path, unit or package.', 1024),
          reason: text('Why.', 512).optional(),
          revertible: flag('Whether Reverted can undo it.'),
        }),
        512,
      ).optional(),
      notReverted: atomicList(
        'What Reverted left as it is, and why.',
        object('NotReverted', 'One thing that was left.', {
          target: text('Path, unit or package.', 1024),
          reason: text('Why it was left.', 512),
        }),
        256,
      ).optional(),
      steps: atomicList(
        'The steps in order.',
        object('ImportStep', 'One step.', {
          name: text('Name of the step.', 64),
          state: choice('Where it stands.', ['Waiting', 'Running', 'Done', 'Failed', 'Skipped']),
          since: time('Since when it is in this state.').optional(),
          attempts: count('How often it was tried.').optional(),
          message: text('What is waited for, or what went wrong and what to do.', 1024).optional(),
        }),
        32,
      ).optional(),
    }).optional(),
  },
);
