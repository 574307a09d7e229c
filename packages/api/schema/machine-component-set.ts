/** MachineComponentSet: which revision belongs on which machines, and how it gets there. */
import {
  atomicList,
  choice,
  conditions,
  count,
  exactlyOne,
  flag,
  intOrPercent,
  name,
  nonEmpty,
  object,
  observedGeneration,
  patterned,
  selector,
  text,
  time,
} from './fields.ts';
import { machineComponentSpec } from './machine-component.ts';

const rollout = object('Rollout', 'How a new revision gets to the machines.', {
  batches: atomicList(
    'Sizes of the batches, in machines or percent; the last repeats.',
    intOrPercent('Machines, or percent of the machines of the set.'),
    16,
  )
    .min(1)
    .default([1, 5, 10, 50, 100]),
  maxUnavailable: intOrPercent(
    'How many machines of the set may be unavailable at once, those that failed or are unreachable counted; percentages are rounded up.',
  ).default('10%'),
  spread: text(
    'Label of machines over which a batch is spread, such as topology.kubernetes.io/zone.',
    317,
  ).optional(),
});

export const machineComponentSet = object(
  'MachineComponentSet',
  'Which revision of a component belongs on which machines.',
  {
    spec: object(
      'MachineComponentSetSpec',
      'What should be.',
      {
        component: name('Name of the component.').meta({
          'x-kubernetes-validations': [
            { rule: 'self == oldSelf', message: 'the component of a set cannot change: make another set' },
          ],
        }),
        revision: name('Name of the MachineComponent that belongs on the machines.').optional(),
        template: object(
          'MachineComponentTemplate',
          'The revision, written in place; it is made as <component>-<version>-<hash>.',
          {
            spec: machineComponentSpec,
          },
        ).optional(),
        selector: selector('Which machines; left out: every machine.').optional(),
        priority: count(
          'Where two sets of one component select a machine, the higher wins; with a tie the machine keeps what it has.',
          -1000,
          1000,
        ).default(0),
        variables: atomicList(
          'Values for the templates, frozen for a machine when it is moved.',
          object(
            'Variable',
            'One value.',
            {
              name: patterned('Name, as the templates use it.', '^[A-Za-z_][A-Za-z0-9_]*$', 63),
              value: text('The value itself.', 1024).optional(),
              fromLabel: nonEmpty('Label of the Machine that holds the value.', 317).optional(),
              default: text('Value for machines without the label.', 1024).optional(),
            },
            [
              exactlyOne(['value', 'fromLabel']),
              {
                rule: '!has(self.default) || has(self.fromLabel)',
                message: 'default goes with fromLabel only',
              },
            ],
          ),
          16,
          [
            {
              rule: 'self.all(a, self.exists_one(b, b.name == a.name))',
              message: 'two variables have the same name',
            },
          ],
        ).default([]),
        drift: choice('Repair puts right what was changed on a host; Report only tells.', [
          'Repair',
          'Report',
        ]).default('Repair'),
        removal: choice(
          'What becomes of a machine that is no longer selected, or when the set is deleted: it keeps the component, or it is removed.',
          ['Retain', 'Remove'],
        ).default('Retain'),
        rollout: rollout.default({ batches: [1, 5, 10, 50, 100], maxUnavailable: '10%' }),
        paused: flag('No machine is moved while this is true.').default(false),
        retryToken: text('Change it to have failed machines tried again.', 64).default(''),
      },
      [
        exactlyOne(['revision', 'template']),
        {
          rule: '!has(self.template) || self.template.spec.component == self.component',
          message: 'template.spec.component must be the component of the set',
        },
      ],
    ),
    status: object('MachineComponentSetStatus', 'What is.', {
      observedGeneration: observedGeneration().optional(),
      currentRevision: text('Revision that was completed last.').optional(),
      updateRevision: text('Revision that machines are being moved to.').optional(),
      failedRevision: text('Revision that failed.').optional(),
      machines: count('Machines that the set decides for.').optional(),
      updated: count('Of them, moved to the update revision.').optional(),
      ready: count('Of them, running the update revision and Ready.').optional(),
      failed: count('Of them, failed.').optional(),
      unreachable: count('Of them, without a living agent.').optional(),
      drifted: count('Of them, with drift that was not repaired.').optional(),
      batch: object('BatchStatus', 'The batch under way.', {
        number: count('Counted from 1.'),
        size: count('Machines in it.'),
        state: choice('Where it stands.', [
          'Updating',
          'Inspecting',
          'Observing',
          'Waiting',
          'Paused',
          'Done',
        ]),
        since: time('Since when it is in this state.').optional(),
        until: time('Until when, where that is known.').optional(),
        reason: text('What is waited for.', 1024).optional(),
      }).optional(),
      conditions: conditions('Ready, Progressing, Degraded, Paused, Conflicted.').optional(),
    }).optional(),
  },
);
