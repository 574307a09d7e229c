/** NodeDisruptionBudget: what may take healthy machines from work, how often and how many at once; policy and ledger in one. */
import {
  atomicList,
  boundedDuration,
  choice,
  conditions,
  count,
  limit,
  nonEmpty,
  object,
  observedGeneration,
  text,
  time,
} from './fields.ts';
import { windows } from './window.ts';

const starts = { perMinute: 20, perHour: 600, perDay: 5000 };
const concurrent = { cluster: '10%', perZone: '25%' };
const drain = { timeout: '10m', onTimeout: 'Abort' as const, emptyDir: 'Delete' as const };

const used = (description: string) =>
  atomicList(
    `${description} Oldest first.`,
    object('StartsBucket', 'Disruptions that began in one stretch of time.', {
      at: time('When the stretch began.'),
      starts: count('Disruptions that began in it.'),
    }),
    64,
  );

export const nodeDisruptionBudget = object(
  'NodeDisruptionBudget',
  'The one budget that everything draws on that takes a healthy machine from work: restarts, drains, reboots, repairs and replacements. The one named default always exists.',
  {
    spec: object(
      'NodeDisruptionBudgetSpec',
      'What may be. Numbers are machines; percentages are of all machines, rounded up.',
      {
        starts: object('DisruptionStarts', 'How many disruptions may begin.', {
          perMinute: limit('In any minute.').default(starts.perMinute),
          perHour: limit('In any hour.').default(starts.perHour),
          perDay: limit('In any 24 hours.').default(starts.perDay),
        }).default(starts),
        concurrent: object('ConcurrentDisruptions', 'How many machines may be disrupted at once.', {
          cluster: limit('In all.').default(concurrent.cluster),
          perZone: limit('In one zone, of the machines of that zone.').default(concurrent.perZone),
        }).default(concurrent),
        zoneLabel: nonEmpty(
          'Label of Machines that names their zone; machines without it are one zone.',
          317,
        ).default('topology.kubernetes.io/zone'),
        maxUnhealthy: limit('Where more machines than this are not Ready, no disruption begins.').default(
          '20%',
        ),
        grantTimeout: boundedDuration(
          'A grant that nobody has given back by then is dropped.',
          '24h',
          '1m',
        ).default('1h'),
        windows: windows('When disruptions may begin; none: at any time.').default([]),
        drain: object('DrainPolicy', 'How machines are drained.', {
          timeout: boundedDuration('How long a drain may take.', '24h', '1s').default(drain.timeout),
          onTimeout: choice(
            'Abort: the machine is put back to work, and tried again later. Force: pods that are left are deleted, whatever their PodDisruptionBudgets say.',
            ['Abort', 'Force'],
          ).default(drain.onTimeout),
          emptyDir: choice(
            'Pods with an emptyDir lose its content when they are moved. Keep: such a pod holds up the drain.',
            ['Delete', 'Keep'],
          ).default(drain.emptyDir),
        }).default(drain),
      },
    ).default({
      starts,
      concurrent,
      zoneLabel: 'topology.kubernetes.io/zone',
      maxUnhealthy: '20%',
      grantTimeout: '1h',
      windows: [],
      drain,
    }),
    status: object(
      'NodeDisruptionBudgetStatus',
      'The ledger. Written by update with resourceVersion, before each disruption.',
      {
        observedGeneration: observedGeneration().optional(),
        since: time('When the ledger began.').optional(),
        deniedUntil: time(
          'The ledger was missing or cleared: what was spent before is not known, so nothing is granted until then.',
        ).optional(),
        minute: used('Starts of the last minute, by 10 seconds.').optional(),
        hour: used('Starts of the last hour, by minute.').optional(),
        day: used('Starts of the last 24 hours, by half an hour.').optional(),
        grants: atomicList(
          'Disruptions under way.',
          object('DisruptionGrant', 'One disruption.', {
            holder: text('Who disturbs, such as set/containerd or machine/n17.'),
            machine: text('Name of the Machine.'),
            zone: text('Its zone.', 63).optional(),
            kind: choice('What is done to it.', ['Restart', 'Drain', 'Reboot']),
            at: time('Since when.'),
            until: time('When it is dropped, if nobody has given it back.'),
          }),
          1024,
        ).optional(),
        denials: atomicList(
          'The last denial of each holder.',
          object('DisruptionDenial', 'One denial.', {
            holder: text('Who asked.'),
            limit: text('The field of spec that denied it, such as starts.perHour.', 64),
            at: time('When.'),
            until: time('Until when at least, where that is known.').optional(),
            message: text('Why, and what to do.', 512),
          }),
          32,
        ).optional(),
        machines: count('Machines that there are.').optional(),
        unhealthy: count(
          'Of them, not Ready; those that are new, being updated, deleted or disrupted are not counted.',
        ).optional(),
        active: count('Disruptions under way.').optional(),
        conditions: conditions(
          'Ready: disruptions may begin. Its reason names the limit that forbids them.',
        ).optional(),
      },
    ).optional(),
  },
);
