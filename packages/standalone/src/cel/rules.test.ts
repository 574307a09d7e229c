import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonSchema, ValidationRule } from '../schema/index.ts';
import { compileSchemaRules, runSchemaRules } from './index.ts';

const text: JsonSchema = { type: 'string' };
const int: JsonSchema = { type: 'integer' };

/** The errors of one rule on `spec`, as `field: message`. */
function spec(schema: JsonSchema, rule: ValidationRule, value: unknown, old?: unknown): string[] {
  const rules = compileSchemaRules({
    type: 'object',
    properties: { spec: { ...schema, 'x-kubernetes-validations': [rule] } },
  });
  assert.deepEqual(rules.errors, []);
  const errors = runSchemaRules(rules, { spec: value }, old === undefined ? undefined : { spec: old });
  return errors.map((e) => `${e.field}: ${e.message}`);
}

test('a rule that fails is told with its message, or with itself', () => {
  assert.deepEqual(spec(int, { rule: 'self > 1', message: 'too small' }, 1), [
    'spec: Invalid value: 1: too small',
  ]);
  assert.deepEqual(spec(int, { rule: 'self > 1' }, 0), ['spec: Invalid value: 0: failed rule: self > 1']);
  const object: JsonSchema = { type: 'object', properties: { a: int } };
  assert.deepEqual(spec(object, { rule: 'self.a > 1', message: 'no' }, { a: 0 }), [
    'spec: Invalid value: no',
  ]);
});

test('messageExpression, reason and fieldPath', () => {
  const object: JsonSchema = { type: 'object', properties: { a: int } };
  const rule = { rule: 'self.a > 1', messageExpression: '"a is " + string(self.a)', fieldPath: '.a' };
  assert.deepEqual(spec(object, rule, { a: 0 }), ['spec.a: Invalid value: a is 0']);
  assert.deepEqual(spec(object, { ...rule, reason: 'FieldValueForbidden' }, { a: 0 }), [
    'spec.a: Forbidden: a is 0',
  ]);
  assert.deepEqual(spec(object, { ...rule, reason: 'FieldValueRequired' }, { a: 0 }), [
    'spec.a: Required value: a is 0',
  ]);
  const failing = { rule: 'false', messageExpression: 'self.missing', message: 'the fixed one' };
  const map: JsonSchema = { type: 'object', additionalProperties: text };
  assert.deepEqual(spec(map, failing, {}), ['spec: Invalid value: the fixed one']);
});

test('transition rules run on updates only; optionalOldSelf runs always', () => {
  const immutable = { rule: 'self == oldSelf', message: 'immutable' };
  assert.deepEqual(spec(text, immutable, 'b'), []);
  assert.deepEqual(spec(text, immutable, 'b', 'b'), []);
  assert.deepEqual(spec(text, immutable, 'b', 'a'), ['spec: Invalid value: "b": immutable']);
  const once = { rule: '!oldSelf.hasValue() || oldSelf.value() == self', optionalOldSelf: true };
  assert.deepEqual(spec(text, once, 'b'), []);
  assert.equal(spec(text, once, 'b', 'a').length, 1);
});

test('entries of a list correlate by key in a list-map, and not at all in other lists', () => {
  const rule = { rule: 'self.v == oldSelf.v', message: 'v is immutable' };
  const items: JsonSchema = {
    type: 'object',
    properties: { k: text, v: text },
    'x-kubernetes-validations': [rule],
  };
  const keyed: JsonSchema = {
    type: 'array',
    items,
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['k'],
  };
  const run = (list: JsonSchema) =>
    runSchemaRules(
      compileSchemaRules({ type: 'object', properties: { l: list } }),
      {
        l: [
          { k: 'new', v: '0' },
          { k: 'a', v: '2' },
        ],
      },
      { l: [{ k: 'a', v: '1' }] },
    ).map((e) => `${e.field}: ${e.message}`);
  assert.deepEqual(run(keyed), ['l[1]: Invalid value: v is immutable']);
  assert.deepEqual(run({ type: 'array', items }), []);
  const { errors } = compileSchemaRules(
    { type: 'object', properties: { l: { type: 'array', items } } },
    'schema',
  );
  assert.match(
    errors[0]?.message ?? '',
    /oldSelf cannot be used on the uncorrelatable portion of the schema within schema\.properties\[l\]$/,
  );
});

test('on an update, a rule without oldSelf lets values pass that did not change', () => {
  const rule = { rule: "self != 'old'" };
  assert.deepEqual(spec(text, rule, 'old', 'old'), []);
  assert.equal(spec(text, rule, 'old', 'other').length, 1);
  assert.equal(spec(text, rule, 'old').length, 1);
});

test('an int64 beyond 2^53 is exact', () => {
  assert.deepEqual(spec(int, { rule: 'self == 9007199254740993' }, 9007199254740993n), []);
  assert.equal(spec(int, { rule: 'self == 9007199254740992' }, 9007199254740993n).length, 1);
  assert.match(
    spec(int, { rule: 'self + 1 > 0' }, 9223372036854775807n)[0] ?? '',
    /integer overflow evaluating rule/,
  );
});

test('a rule that would compute for ever is stopped', () => {
  const list: JsonSchema = { type: 'array', items: int };
  const numbers = Array.from({ length: 200 }, (_, i) => i);
  const rule = { rule: 'self.all(a, self.all(b, self.all(c, a + b + c >= 0)))' };
  const started = performance.now();
  assert.match(spec(list, rule, numbers)[0] ?? '', /actual cost limit exceeded/);
  assert.ok(performance.now() - started < 5000);
});

test('matches is linear in time', () => {
  const rule = { rule: "self.matches('^(a+)+$')" };
  assert.equal(spec(text, rule, `${'a'.repeat(60)}!`).length, 1);
});

test('a rule that does not compile is told with its place in the CRD', () => {
  const rules = compileSchemaRules(
    {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          properties: { a: text },
          'x-kubernetes-validations': [{ rule: 'self.b == 1' }, { rule: 'self.a' }],
        },
      },
    },
    'schema',
  );
  assert.equal(rules.count, 0);
  const at = 'schema.properties[spec].x-kubernetes-validations';
  assert.deepEqual(
    rules.errors.map((e) => e.field),
    [`${at}[0].rule`, `${at}[1].rule`],
  );
  const shown =
    '{"Rule":"self.b == 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}';
  const issue = "compilation failed: ERROR: <input>:1:5: undefined field 'b'\n | self.b == 1\n | ....^";
  assert.equal(rules.errors[0]?.message, `Invalid value: ${shown}: ${issue}`);
  assert.match(rules.errors[1]?.message ?? '', /must evaluate to a bool/);
});
