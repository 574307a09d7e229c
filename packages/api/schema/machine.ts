/** Machine: one host, whole. */
import { z } from 'zod';
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

/** What a person declares for the Node of a machine; MachineImport carries it too. */
export const nodeTemplate = object(
  'NodeTemplate',
  'What the Node of this machine carries. Removed from the Node when it is no longer declared here; what others put there stays.',
  {
    labels: stringMap('Labels of the Node.', 64, 63).optional(),
    annotations: stringMap('Annotations of the Node.', 64, 4096).optional(),
    taints: atomicList(
      'Taints of the Node.',
      object('MachineTaint', 'One taint.', {
        key: nonEmpty('Key of the taint.', 317),
        value: text('Value of the taint.', 63).optional(),
        effect: choice('What it does to pods.', ['NoSchedule', 'PreferNoSchedule', 'NoExecute']),
        propagation: choice(
          'Always: kept there. OnInitialization: put there once; who takes it away is not overruled.',
          ['Always', 'OnInitialization'],
        ).default('Always'),
      }),
      32,
      [
        {
          rule: 'self.all(a, self.exists_one(b, b.key == a.key && b.effect == a.effect))',
          message: 'two taints have the same key and effect',
        },
      ],
    ).optional(),
  },
);

export const nodeName = () =>
  name('Name of the Node; left out: the host is no Kubernetes node, and NodeReady is not asked for.').meta({
    'x-kubernetes-validations': [
      { rule: 'self == oldSelf', message: 'nodeName cannot change once it is set' },
    ],
  });

const entry = object(
  'MachineComponentEntry',
  'One component that belongs on the machine. Written by the assigner alone.',
  {
    name: name('Name of the component.'),
    revision: name('Name of the MachineComponent.'),
    revisionUID: text(
      'Its UID: a revision that was deleted and made again under the same name is not followed.',
      64,
    ).optional(),
    set: text('Name of the MachineComponentSet that decides.').optional(),
    variables: stringMap('Values of the variables, frozen when the machine was moved.', 16, 1024).optional(),
    drift: choice('Repair or Report.', ['Repair', 'Report']).default('Repair'),
    rollout: text('Rollout that moved it here.', 64).optional(),
    batch: count('Batch of that rollout, counted from 1.').optional(),
    movedAt: time('When it was moved.').optional(),
    retryToken: text("The set's retryToken.", 64).optional(),
    state: choice('Present, or Absent: to be removed.', ['Present', 'Absent']).default('Present'),
  },
);

const disruptions = ['Restart', 'Drain', 'Reboot'] as const;

const correctness = (description: string) => choice(description, ['True', 'False', 'Unknown']);

const componentStatus = object(
  'MachineComponentStatus',
  'One component as it is on the host. Written by the agent alone.',
  {
    name: text('Name of the component.'),
    desired: text('Revision that belongs there, where it is not the one that is there.').optional(),
    running: text('Revision that is there.').optional(),
    lastGood: text('Revision that was healthy last, where it is not the one that is there.').optional(),
    version: text('Version that was found.', 128).optional(),
    movedAt: time('Echo of the entry: the move that this was judged under.').optional(),
    state: choice('Where it stands.', [
      'Waiting',
      'Installing',
      'Ready',
      'Degraded',
      'RollingBack',
      'Failed',
      'Unverified',
      'Removing',
    ]),
    step: text('Step under way.', 64).optional(),
    asks: choice(
      'What it waits for leave to do to the machine: restart a healthy process because of drift, have it drained, reboot it.',
      disruptions,
    ).optional(),
    since: time('Since when it is in this state.').optional(),
    message: text('Why, and what happens next.', 512).optional(),
    correct: object('Correctness', 'The three correctnesses, each checked by itself.', {
      version: correctness('The right software, and nobody swapped it.'),
      config: correctness('Files and unit are what the revision says.'),
      running: correctness('It runs and its probes succeed.'),
    }).optional(),
    failed: object('FailedRevision', 'The last revision that failed on this machine.', {
      revision: text('Name of the revision.'),
      step: text('Step that failed.', 64).optional(),
      attempts: count('How often it was tried.').optional(),
      at: time('When it failed last.').optional(),
      retryAt: time(
        'When it is tried again; absent: not until the revision or the retryToken changes.',
      ).optional(),
      message: text('Why.', 512).optional(),
    }).optional(),
    drift: object('DriftStatus', 'What was changed on the host behind our back.', {
      repaired: count('How often it was put right.').optional(),
      last: object('DriftRecord', 'The last time.', {
        at: time('When.'),
        what: text('What was found.', 512),
      }).optional(),
    }).optional(),
  },
);

export const machine = object('Machine', 'One host and what runs on it.', {
  spec: object(
    'MachineSpec',
    'What should be.',
    {
      providerID: text("The provider's name of the instance; none for a plain imported host.", 512)
        .meta({
          'x-kubernetes-validations': [
            { rule: 'self == oldSelf', message: 'providerID cannot change once it is set' },
          ],
        })
        .optional(),
      nodeName: nodeName().optional(),
      node: nodeTemplate.optional(),
      components: atomicList(
        'What belongs on the machine, whole. Written by the assigner alone.',
        entry,
        64,
        [
          {
            rule: 'self.all(a, self.exists_one(b, b.name == a.name))',
            message: 'two entries have the same name',
          },
        ],
      ).optional(),
      deletionPolicy: choice(
        'What happens to the host when the Machine is deleted: Retain leaves it as it is, Delete removes what was brought (and a made instance).',
        ['Retain', 'Delete'],
      ).default('Retain'),
      paused: flag('The controllers leave this machine alone while this is true.').default(false),
    },
    [
      {
        rule: '!has(oldSelf.nodeName) || has(self.nodeName)',
        message: 'nodeName cannot be taken away once it is set',
      },
    ],
  ).default({ deletionPolicy: 'Retain', paused: false }),
  status: object('MachineStatus', 'What is.', {
    observedGeneration: observedGeneration().optional(),
    phase: choice('A summary of the conditions for people; nothing is driven by it.', [
      'Pending',
      'Provisioning',
      'Importing',
      'Running',
      'Updating',
      'Repairing',
      'Unreachable',
      'Deleting',
    ]).optional(),
    conditions: conditions(
      'InfrastructureReady, AgentReady, NodeReady, ComponentsReady, Ready, Paused, Deleting.',
    ).optional(),
    nodeRef: object('NodeRef', 'The Node of this machine.', {
      name: text('Name of the Node.'),
      uid: text('UID of the Node.', 64),
    }).optional(),
    kubeletVersion: text('Version of its kubelet, as the Node says.', 64).optional(),
    host: object('HostInfo', 'Facts of the host, by its agent.', {
      os: text('Operating system and version, for people.', 128).optional(),
      kernel: text('Version of the kernel.', 128).optional(),
      arch: text('Architecture, in the words of Go.', 32).optional(),
      machineID: text('/etc/machine-id.', 64).optional(),
      bootID: text('Changes with every boot.', 64).optional(),
      addresses: atomicList('Addresses of the host, the main one first.', z.string().max(64), 16).optional(),
      agentVersion: text('Version of the agent.', 64).optional(),
    })
      .meta({ 'x-kubernetes-map-type': 'atomic' })
      .optional(),
    summary: patterned('Components that are Ready, of all.', '^[0-9]+/[0-9]+$', 16).optional(),
    disruption: object(
      'MachineDisruption',
      'Leave to disturb the machine, taken from the NodeDisruptionBudget. Written by the disruption controller alone.',
      {
        kind: choice('The most that may be done.', disruptions),
        state: choice(
          'Waiting: the budget allows none now. Draining: pods are being moved away. Granted: the agent may act. Ending: it has acted, and the machine is being put back to work. Aborted: the drain did not end in time, or the agent did not use the leave before it ran out; it is tried again.',
          ['Waiting', 'Draining', 'Granted', 'Ending', 'Aborted'],
        ),
        id: text('Tells one leave from another.', 64),
        since: time('Since when it is in this state.'),
        until: time('Until when, where that is known.').optional(),
        begunAt: time('When it was first begun, however often it was given up since.').optional(),
        aborts: count('How often in a row it was given up.').optional(),
        message: text('What is waited for, and what happens next.', 1024).optional(),
      },
    )
      .meta({ 'x-kubernetes-map-type': 'atomic' })
      .optional(),
    components: atomicList(
      'What is on the host. Written by its agent alone.',
      componentStatus,
      64,
    ).optional(),
  }).optional(),
});
