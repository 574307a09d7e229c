import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  applyDefaults,
  checkStructural,
  compileSchema,
  type JsonObject,
  type JsonSchema,
  JsonError,
  parseJson,
  prune,
  stringifyJson,
  unknownFields,
  validate,
  validateStatus,
} from './index.ts';

const ofSpec = (spec: JsonSchema) => compileSchema({ type: 'object', properties: { spec } });
const messages = (schema: JsonSchema, spec: unknown, old?: unknown): string[] =>
  validate({ spec }, ofSpec(schema), old === undefined ? undefined : { spec: old }).map(
    (e) => `${e.field}: ${e.message}`,
  );

test('JSON: duplicate keys are told once each, with their paths, and the last value wins', () => {
  const { value, duplicates } = parseJson('{"a":1,"spec":{"l":[{},{"x":1,"x":2,"x":3}]},"a":2}');
  assert.deepEqual(value, { a: 2, spec: { l: [{}, { x: 3 }] } });
  assert.deepEqual(duplicates, ['spec.l[1].x', 'a']);
});

test('JSON: an int64 beyond 2^53 is kept to the digit, in and out', () => {
  const text = '{"big":9223372036854775807,"low":-9223372036854775808,"float":1e300,"one":1.0}';
  const { value } = parseJson(text);
  assert.deepEqual(value, { big: 9223372036854775807n, low: -(2n ** 63n), float: 1e300, one: 1 });
  assert.equal(
    stringifyJson({ b: 9223372036854775807n, a: [1] }, { sortKeys: true }),
    '{"a":[1],"b":9223372036854775807}',
  );
});

test('JSON: strings, escapes, and a key that is __proto__ stay data', () => {
  const { value } = parseJson(' {"a":"x\\n\\u00e9\\"","__proto__":{"polluted":true}} ');
  assert.equal((value as { a: string }).a, 'x\né"');
  assert.deepEqual(Object.keys(value as object), ['a', '__proto__']);
  assert.equal(({} as { polluted?: boolean }).polluted, undefined);
});

for (const [text, message] of [
  ['{"a":1', 'unexpected end of JSON input'],
  ['{a:1}', "invalid character 'a' looking for beginning of object key string"],
  ['{"a" 1}', "invalid character '1' after object key"],
  ['[1 2]', "invalid character '2' after array element"],
  ['{} x', "invalid character 'x' after top-level value"],
  ['nil', "invalid character 'n' looking for beginning of value"],
] as const)
  test(`JSON: ${text} is refused`, () => assert.throws(() => parseJson(text), new JsonError(message)));

test('unknown fields are found with their paths, and pruned but where the schema keeps them', () => {
  const schema = compileSchema({
    type: 'object',
    properties: {
      spec: {
        type: 'object',
        properties: {
          list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
          labels: { type: 'object', additionalProperties: { type: 'object', properties: {} } },
          free: {
            type: 'object',
            'x-kubernetes-preserve-unknown-fields': true,
            properties: { deep: { type: 'object' } },
          },
          template: {
            type: 'object',
            'x-kubernetes-embedded-resource': true,
            properties: { data: { type: 'string' } },
          },
        },
      },
    },
  });
  const object = {
    apiVersion: 'v1',
    kind: 'X',
    metadata: { name: 'n', nmae: 'm' },
    spec: {
      list: [{ a: 'x' }, { a: 'y', b: 1 }],
      labels: { k: { z: 1 } },
      free: { any: { thing: 1 }, deep: { gone: 1 } },
      template: { apiVersion: 'v1', kind: 'Y', metadata: { name: 'n' }, data: 'd', more: 1 },
    },
    extra: 1,
  };
  const unknown = [
    'metadata.nmae',
    'spec.list[1].b',
    'spec.labels.k.z',
    'spec.free.deep.gone',
    'spec.template.more',
    'extra',
  ];
  assert.deepEqual(unknownFields(object, schema), unknown);
  assert.deepEqual(prune(object, schema), unknown);
  assert.deepEqual(object.spec.free, { any: { thing: 1 }, deep: {} });
  assert.deepEqual(unknownFields(object, schema), []);
});

test('defaults fill what is absent or a null that may not be, down into lists; each object has its own copy', () => {
  const schema = ofSpec({
    type: 'object',
    default: {},
    properties: {
      a: { type: 'string', default: 'x' },
      keep: { type: 'string', default: 'x', nullable: true },
      gone: { type: 'string' },
      list: {
        type: 'array',
        items: { type: 'object', properties: { p: { type: 'object', default: { q: 1 } } } },
      },
    },
  });
  const list: { p?: { q: number } }[] = [{}, {}];
  const object: unknown = { spec: { a: null, keep: null, gone: null, list } };
  applyDefaults(object as JsonObject, schema);
  assert.deepEqual(object, { spec: { a: 'x', keep: null, list: [{ p: { q: 1 } }, { p: { q: 1 } }] } });
  assert.notEqual(list[0]?.p, list[1]?.p);
  const empty = {};
  applyDefaults(empty, schema);
  assert.deepEqual(empty, { spec: { a: 'x', keep: 'x' } });
  const applied = { spec: { gone: null } };
  applyDefaults(applied, schema, { dropNulls: false });
  assert.equal(applied.spec.gone, null);
});

test('length counts code points', () => {
  assert.deepEqual(messages({ type: 'string', maxLength: 2 }, '😀😀'), []);
  assert.deepEqual(messages({ type: 'string', maxLength: 2 }, '😀😀😀'), [
    'spec: Too long: may not be more than 2 bytes',
  ]);
  assert.deepEqual(messages({ type: 'string', minLength: 2 }, '😀'), [
    'spec: Invalid value: "😀": spec in body should be at least 2 chars long',
  ]);
});

test('a pattern that would take a backtracking engine for ever is answered at once', () => {
  const [message] = messages({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(40)}!`);
  assert.match(message ?? '', /should match '\^\(a\+\)\+\$'/);
});

for (const [name, schema, value, expected] of [
  [
    'date-time',
    { type: 'string', format: 'date-time' },
    '2024-02-30T00:00:00Z',
    'must be of type date-time: "2024-02-30T00:00:00Z"',
  ],
  ['good date-time', { type: 'string', format: 'date-time' }, '2024-02-29T00:00:00.123+02:00', undefined],
  ['unknown format', { type: 'string', format: 'zebra' }, 'x', undefined],
  ['ipv4', { type: 'string', format: 'ipv4' }, '1.2.3', 'must be of type ipv4: "1.2.3"'],
  ['int64', { type: 'integer', format: 'int64' }, 9223372036854775807n, undefined],
  [
    'null in enum',
    { type: 'string', enum: ['a'], nullable: true },
    null,
    'Unsupported value: null: supported values: "a"',
  ],
  [
    'exclusive',
    { type: 'integer', minimum: 1, exclusiveMinimum: true },
    1,
    'spec in body should be greater than 1',
  ],
  ['multiple', { type: 'integer', multipleOf: 3 }, 4, 'spec in body should be a multiple of 3'],
  [
    'int or string',
    { 'x-kubernetes-int-or-string': true },
    true,
    'must be of type integer,string: "boolean"',
  ],
  [
    'set',
    { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
    ['a', 'b', 'a', 'a'],
    'spec[2]: Duplicate value: "a"',
  ],
  [
    'min items',
    { type: 'array', items: { type: 'string' }, minItems: 1 },
    [],
    'Invalid value: 0: spec in body should have at least 1 items',
  ],
  [
    'additional',
    { type: 'object', additionalProperties: { type: 'string' } },
    { k: 1 },
    'spec.k: Invalid value: "integer": spec.k in body must be of type string: "integer"',
  ],
  [
    'oneOf',
    {
      type: 'object',
      properties: { a: { type: 'string' }, b: { type: 'string' } },
      oneOf: [{ required: ['a'] }, { required: ['b'] }],
    },
    { a: '', b: '' },
    '"spec" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    'not',
    { type: 'object', properties: { a: { type: 'string' } }, not: { required: ['a'] } },
    { a: '' },
    '"spec" must not validate the schema (not)',
  ],
] as [string, JsonSchema, unknown, string | undefined][])
  test(`validation: ${name}`, () => {
    const found = messages(schema, value);
    if (expected === undefined) assert.deepEqual(found, []);
    else assert.ok(found.length === 1 && found[0]?.includes(expected), JSON.stringify(found));
  });

test('ratcheting: what did not change since it was stored is let pass, list-map entries by key', () => {
  const schema: JsonSchema = {
    type: 'object',
    properties: {
      a: { type: 'string', enum: ['x'] },
      m: {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['k'],
        items: { type: 'object', properties: { k: { type: 'string' }, v: { type: 'string', maxLength: 1 } } },
      },
    },
  };
  const old = { a: 'old', m: [{ k: '1', v: 'long' }] };
  assert.deepEqual(messages(schema, { a: 'old', m: [{ k: '0' }, { k: '1', v: 'long' }] }, old), []);
  assert.equal(messages(schema, { a: 'new', m: [{ k: '1', v: 'longer' }] }, old).length, 2);
});

test('a CRD whose schema is not structural is told where and why', () => {
  const errors = checkStructural(
    {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: {
            untyped: {},
            list: { type: 'array' },
            bad: { type: 'string', pattern: '(' },
            keyed: {
              type: 'array',
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-list-map-keys': ['name'],
              items: { type: 'object', properties: { name: { type: 'string' } } },
            },
          },
          anyOf: [{ required: ['a'], properties: { b: { type: 'string' } } }],
        },
      },
      oneOf: [{ properties: { c: { minLength: 1 } } }],
    },
    'spec.schema',
  ).map((e) => `${e.field}: ${e.message}`);
  const at = 'spec.schema.properties[spec]';
  assert.ok(errors.includes(`${at}.anyOf[0].properties[b].type: Forbidden: must be empty to be structural`));
  assert.ok(
    errors.includes(
      `${at}.properties[untyped].type: Required value: must not be empty for specified object fields`,
    ),
  );
  assert.ok(errors.includes(`${at}.properties[list].items: Required value: must be specified`));
  assert.ok(
    errors.includes(
      'spec.schema.properties[c]: Required value: because it is defined in spec.schema.oneOf[0].properties[c]',
    ),
  );
  assert.ok(
    errors.some((e) =>
      e.startsWith(`${at}.properties[bad].pattern: Invalid value: "(": must be a valid regular expression`),
    ),
  );
  assert.ok(
    errors.includes(
      `${at}.properties[keyed].items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
    ),
  );
  assert.equal(errors.length, 6);
});

test('a write to /status has its status validated alone, with paths told from there', () => {
  const list: JsonSchema = { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' };
  const status: JsonSchema = {
    type: 'object',
    required: ['b'],
    properties: { a: list, b: { type: 'string' } },
  };
  const schema = compileSchema({ type: 'object', properties: { spec: { type: 'string' }, status } });
  assert.deepEqual(
    validateStatus({ spec: 1, status: { a: null } }, schema).map((e) => `${e.field}: ${e.message}`),
    ['status.a: Invalid value: "null": a in body must be of type array: "null"', 'status.b: Required value'],
  );
  const [twice] = validateStatus({ status: { a: ['x', 'x'], b: '' } }, schema);
  assert.equal(`${twice?.field}: ${twice?.message}`, 'status.a[1]: Duplicate value: "x"');
  assert.deepEqual(validateStatus({ status: { a: null } }, schema, { status: { a: null } }), []);
});
