/** MachineComponentSet: which revision belongs on which machines, and how it gets there. */
import {
  atomicList,
  boundedDuration,
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
  serverUrl,
  text,
  time,
} from './fields.ts';
import { machineComponentSpec } from './machine-component.ts';
import { windows } from './window.ts';

const inspection = object(
  'Inspection',
  'A look at whether a batch did good. What it finds counts only if it was found after the batch began.',
  {
    name: nonEmpty('Name, for messages.', 63),
    type: choice(
      'BuiltIn: every component of the machines of the batch is Ready, their Nodes too, and no problem condition came up since the batch began. Prometheus: a query. Web: a request.',
      ['BuiltIn', 'Prometheus', 'Web'],
    ),
    deadline: boundedDuration(
      'How long it may go on without an answer, or with one that says nothing (Inconclusive), before the rollout pauses.',
      '24h',
      '1s',
    ).default('5m'),
    prometheus: object(
      'PrometheusInspection',
      'An instant query whose answer must be one number (a scalar, or a vector of one sample). It passes where the number is not below min and not above max, and fails where it is not so a minute after the machines were Ready: by then Prometheus has scraped them anew.',
      {
        url: serverUrl('Address of the Prometheus server, without /api/v1/query.', 1024),
        query: nonEmpty(
          'PromQL. {{ component }}, {{ revision }}, {{ machines }} (names of the machines of the batch, joined by |) and {{ elapsed }} (since the batch began, such as 93s) are put in.',
          4096,
        ),
        min: text('Smallest number that passes, such as 0.99.', 32).optional(),
        max: text('Greatest number that passes, such as 0.01.', 32).optional(),
      },
      [
        {
          rule: 'has(self.min) || has(self.max)',
          message: 'at least one of min and max must be set: otherwise every number would pass',
        },
        {
          rule: "!has(self.min) || self.min.matches('^-?[0-9]+([.][0-9]+)?$')",
          message: 'min must be a number such as 0.99',
        },
        {
          rule: "!has(self.max) || self.max.matches('^-?[0-9]+([.][0-9]+)?$')",
          message: 'max must be a number such as 0.01',
        },
        {
          rule: "!has(self.min) || !has(self.max) || !self.min.matches('^-?[0-9]+([.][0-9]+)?$') || !self.max.matches('^-?[0-9]+([.][0-9]+)?$') || double(self.min) <= double(self.max)",
          message: 'min must not be greater than max: no number would pass',
        },
      ],
    ).optional(),
    web: object(
      'WebInspection',
      'A request. An answer with status 200 to 299 passes, one with 400 to 499 fails; anything else says nothing, and so do 401, 403, 407, 408 and 429, which are about the request.',
      {
        url: serverUrl('Where the request goes to.', 2048),
        method: choice(
          'GET, or POST with a JSON body that names set, component, revision, rollout, batch and machines.',
          ['GET', 'POST'],
        ).default('GET'),
      },
    ).optional(),
    secretName: text(
      'Secret in the namespace of the operator: `token` is sent as a bearer token, `ca.crt` (PEM) is what is trusted.',
    ).optional(),
  },
  [
    {
      rule: "(self.type == 'Prometheus') == has(self.prometheus)",
      message: 'prometheus goes with type Prometheus, and only with it',
    },
    { rule: "(self.type == 'Web') == has(self.web)", message: 'web goes with type Web, and only with it' },
    {
      rule: "!has(self.secretName) || self.type != 'BuiltIn'",
      message: 'secretName goes with type Prometheus or Web: BuiltIn asks nobody',
    },
  ],
);

const rolloutDefaults = {
  batches: [1, 5, 10, 50, 100],
  maxUnavailable: '10%',
  inspections: [],
  observation: '0s',
  deadline: '30m',
  maxFailed: 0,
  onFailure: 'Pause' as const,
  windows: [],
};

const rollout = object('Rollout', 'How a new revision gets to the machines.', {
  batches: atomicList(
    'Sizes of the batches, in machines or percent; the last repeats.',
    intOrPercent('Machines, or percent of the machines of the set.'),
    16,
  )
    .min(1)
    .default(rolloutDefaults.batches),
  maxUnavailable: intOrPercent(
    'How many machines of the set may be unavailable at once, those that failed or are unreachable counted; percentages are rounded up.',
  ).default('10%'),
  spread: text(
    'Label of machines over which a batch is spread, such as topology.kubernetes.io/zone.',
    317,
  ).optional(),
  inspections: atomicList('Looks that are taken after every batch; all must pass.', inspection, 8, [
    {
      rule: 'self.all(a, self.exists_one(b, b.name == a.name))',
      message: 'two inspections have the same name',
    },
  ]).default([]),
  observation: boundedDuration(
    'How long a batch is watched after its inspections have passed, before the next begins. At its end they are taken once more.',
    '168h',
  ).default(rolloutDefaults.observation),
  deadline: boundedDuration(
    'How long a machine of a batch may take until it is Ready, from its move or, where it needs leave to be drained or rebooted, from that leave. Those that are not Ready by then count as failed.',
    '168h',
    '1s',
  ).default(rolloutDefaults.deadline),
  maxFailed: count('How many machines of a batch may fail before the batch counts as failed.').default(0),
  onFailure: choice(
    'When a batch fails or an inspection does: Pause, or Rollback, which brings the machines of the rollout back to the revision that was completed last, and pauses then.',
    ['Pause', 'Rollback'],
  ).default('Pause'),
  windows: windows('When batches may begin; none: at any time. A batch that has begun goes on.').default([]),
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
        rollout: rollout.default(rolloutDefaults),
        paused: flag('No machine is moved while this is true.').default(false),
        retryToken: text(
          'Change it to have failed machines tried again, and a rollout that was paused by a failure go on.',
          64,
        ).default(''),
        promote: text(
          'Name of a revision whose rollout goes on without what is left of inspection and observation: for the day of the CVE. maxUnavailable and the disruption budget still hold.',
        ).default(''),
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
        rollout: text('The rollout that it belongs to, as in the entries of the machines.', 64).optional(),
        number: count('Counted from 1.'),
        size: count('Machines in it.'),
        state: choice('Where it stands.', [
          'Updating',
          'Inspecting',
          'Observing',
          'Waiting',
          'Paused',
          'RollingBack',
          'Done',
        ]),
        since: time('Since when it is in this state.').optional(),
        until: time('Until when, where that is known.').optional(),
        begunAt: time('When its first machine was moved.').optional(),
        passedAt: time(
          'When its inspections and its observation had passed: from then on the next may begin.',
        ).optional(),
        reason: text('What is waited for.', 1024).optional(),
        inspections: atomicList(
          'What the inspections of this batch found last.',
          object('InspectionResult', 'What one inspection found.', {
            name: text('Name of the inspection.', 63),
            result: choice('Verdict.', ['Pending', 'Passed', 'Failed', 'Inconclusive']),
            at: time('When it was found.').optional(),
            message: text('What was found.', 512).optional(),
          }),
          8,
        ).optional(),
      }).optional(),
      halted: object(
        'HaltedRollout',
        'The rollout that a failure has stopped. It goes on with another revision, another retryToken, or promote.',
        {
          rollout: text('The rollout.', 64),
          batch: count('Its batch.'),
          cause: choice('What has stopped it.', [
            'BatchFailed',
            'DeadlineExceeded',
            'InspectionFailed',
            'InspectionInconclusive',
            'ObservationFailed',
          ]),
          at: time('When.'),
          message: text('Which machine or inspection, at which step, and why.', 1024),
          retryToken: text('spec.retryToken at that time.', 64).optional(),
        },
      ).optional(),
      promoted: object('PromotedRollout', 'The last rollout that was promoted.', {
        revision: text('Its revision.'),
        at: time('When that was noticed.'),
        skipped: text('What was skipped.', 512).optional(),
      }).optional(),
      conditions: conditions('Ready, Progressing, Degraded, Paused, Conflicted.').optional(),
    }).optional(),
  },
);
