/** Windows: times of the week in which something may happen. */
import { atomicList, choice, nonEmpty, object, patterned } from './fields.ts';

const clock = (description: string) =>
  patterned(`${description} As 24-hour time, such as "22:30".`, '^([01][0-9]|2[0-3]):[0-5][0-9]$', 5);

export const windows = (description: string) =>
  atomicList(
    description,
    object(
      'Window',
      'A time of the week. Where to is before from, it ends on the day after.',
      {
        days: atomicList(
          'Days on which it opens; left out: every day.',
          choice('Day of the week.', ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']),
          7,
        )
          .min(1)
          .optional(),
        from: clock('When it opens.'),
        to: clock('When it closes.'),
        timeZone: nonEmpty('Time zone by its IANA name, such as Asia/Shanghai.', 64).default('UTC'),
      },
      [{ rule: 'self.from != self.to', message: 'from and to are the same: this window never opens' }],
    ),
    16,
  );
