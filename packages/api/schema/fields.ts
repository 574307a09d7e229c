/** Building blocks of the kinds: every one carries a description and a bound, since the API server refuses rules over unbounded data. */
import { z } from 'zod';

/** A CEL rule as the API server takes it. */
export interface Rule {
  rule: string;
  message?: string;
  messageExpression?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
  reason?: string;
}

type Extra = Record<string, unknown>;

export const text = (description: string, maxLength = 253, extra: Extra = {}) =>
  z
    .string()
    .max(maxLength)
    .meta({ description, ...extra });

export const nonEmpty = (description: string, maxLength = 253, extra: Extra = {}) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .meta({ description, ...extra });

export const patterned = (description: string, pattern: string, maxLength = 253) =>
  z.string().max(maxLength).meta({ description, pattern });

/** A DNS subdomain, as names of objects are. */
export const name = (description: string) =>
  patterned(description, '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$');

/** `90s`, `10m`, `1h30m`: what Go's ParseDuration takes, without signs. */
export const duration = (description: string) =>
  patterned(`${description} A duration such as 90s, 10m or 1h30m.`, '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$', 32);

/** A duration that somebody may wait for awake: longer ones are slips of the keyboard, and so are shorter ones where `shortest` is given. */
export const boundedDuration = (description: string, longest: string, shortest?: string) => {
  const least = shortest === undefined ? '' : `At least ${shortest}. `;
  const field = duration(`${description} ${least}At most ${longest}.`);
  return field.meta({
    ...field.meta(),
    'x-kubernetes-validations': [
      { rule: `duration(self) <= duration('${longest}')`, message: `must be at most ${longest}` },
      ...(shortest === undefined
        ? []
        : [{ rule: `duration(self) >= duration('${shortest}')`, message: `must be at least ${shortest}` }]),
    ],
  });
};

/** Address of a server that is asked. Passwords do not belong into objects. */
export const serverUrl = (description: string, maxLength: number) => {
  const field = patterned(description, '^https?://[^\\s]+$', maxLength);
  return field.meta({
    ...field.meta(),
    'x-kubernetes-validations': [
      {
        rule: "!self.matches('^https?://[^/?#]*@')",
        message: 'must not hold a user or password: put a token into the Secret of secretName',
      },
    ],
  });
};

export const time = (description: string) => z.string().meta({ description, format: 'date-time' });

export const digest = (description: string) =>
  patterned(`${description} sha256: and 64 hex digits.`, '^sha256:[a-f0-9]{64}$', 71);

const noParent = {
  'x-kubernetes-validations': [
    { rule: "!self.contains('/../') && !self.endsWith('/..')", message: "must not contain '..'" },
  ],
};

/** Where a file stands. */
export const hostPath = (description: string) =>
  z
    .string()
    .max(1024)
    .meta({ description: `${description} Absolute, without '..'.`, pattern: '^(/[^/]+)+$', ...noParent });

/** A folder, which may be the root. */
export const hostFolder = (description: string) =>
  z
    .string()
    .max(1024)
    .meta({
      description: `${description} Absolute, without '..'.`,
      pattern: '^/([^/]+(/[^/]+)*)?$',
      ...noParent,
    });

export const mode = (description: string) =>
  patterned(`${description} Octal, such as "0644".`, '^0?[0-7]{3,4}$', 5);

export const count = (description: string, minimum = 0, maximum = 2_147_483_647) =>
  z.int().min(minimum).max(maximum).meta({ description, format: 'int32' });

export const flag = (description: string) => z.boolean().meta({ description });

export const choice = <const T extends readonly [string, ...string[]]>(description: string, values: T) =>
  z.enum(values).meta({ description });

/** A number of machines, or a percentage of them. */
export const intOrPercent = (description: string) =>
  z.union([z.int(), z.string()]).meta({
    description,
    'x-kubernetes-int-or-string': true,
    maxLength: 4,
    'x-kubernetes-validations': [
      {
        rule: "type(self) == int ? self >= 1 : self.matches('^(100|[1-9][0-9]?)%$')",
        message: 'must be a number of at least 1, or a percentage from "1%" to "100%"',
      },
    ],
  });

/** A number of machines, or a percentage of them; 0 forbids. */
export const limit = (description: string) =>
  z.union([z.int(), z.string()]).meta({
    description,
    'x-kubernetes-int-or-string': true,
    maxLength: 4,
    'x-kubernetes-validations': [
      {
        rule: "type(self) == int ? self >= 0 : self.matches('^(100|[1-9]?[0-9])%$')",
        message: 'must be a number of at least 0, or a percentage from "0%" to "100%"',
      },
    ],
  });

/** An object with a name of its own in the generated types. */
export const object = <T extends z.ZodRawShape>(
  title: string,
  description: string,
  shape: T,
  rules?: Rule[],
) => z.object(shape).meta({ title, description, ...(rules && { 'x-kubernetes-validations': rules }) });

export const atomicList = <T extends z.ZodType>(
  description: string,
  item: T,
  maxItems: number,
  rules?: Rule[],
) =>
  z
    .array(item)
    .max(maxItems)
    .meta({
      description,
      'x-kubernetes-list-type': 'atomic',
      ...(rules && { 'x-kubernetes-validations': rules }),
    });

export const listMap = <T extends z.ZodType>(
  description: string,
  keys: string[],
  item: T,
  maxItems: number,
) =>
  z.array(item).max(maxItems).meta({
    description,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': keys,
  });

/** Labels or annotations. */
export const stringMap = (description: string, maxProperties = 64, maxLength = 1024) =>
  z.record(z.string(), z.string().max(maxLength)).meta({ description, maxProperties });

/** metav1.Condition, with its limits. */
export const conditions = (description: string) =>
  listMap(
    description,
    ['type'],
    object('Condition', 'One observed aspect of the object.', {
      type: patterned('Kind of condition, in CamelCase.', '^[A-Za-z][A-Za-z0-9]*$', 64),
      status: choice('True, False or Unknown.', ['True', 'False', 'Unknown']),
      observedGeneration: z
        .int()
        .min(0)
        .meta({ description: 'metadata.generation that this was judged on.', format: 'int64' })
        .optional(),
      lastTransitionTime: time('When status changed last.'),
      reason: patterned('Why, in one CamelCase word.', '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$', 128),
      message: text('Why, for people: what is so, since when, what happens next.', 1024),
      // One writer has a condition whole: so its managedFields name it and not its six fields.
    }).meta({ 'x-kubernetes-map-type': 'atomic' }),
    16,
  );

export const observedGeneration = () =>
  z
    .int()
    .min(0)
    .meta({ description: 'metadata.generation that this status was computed from.', format: 'int64' });

/** Exactly one of these fields must be set. */
export const exactlyOne = (fields: string[]): Rule => ({
  rule: `[${fields.map((f) => `has(self.${f})`).join(', ')}].filter(x, x).size() == 1`,
  message: `exactly one of ${fields.join(', ')} must be set`,
});

export const selector = (description: string) =>
  object('LabelSelector', description, {
    matchLabels: stringMap('Labels that must all be there with these values.', 16, 63).optional(),
    matchExpressions: atomicList(
      'Requirements that must all hold.',
      object('LabelSelectorRequirement', 'One requirement on a label.', {
        key: nonEmpty('Key of the label.', 317),
        operator: choice('How key and values relate.', ['In', 'NotIn', 'Exists', 'DoesNotExist']),
        values: atomicList('Values for In and NotIn.', z.string().max(63), 32).optional(),
      }),
      16,
    ).optional(),
  });
