import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type JsonObject, type JsonSchema, parseJson, type ValidationRule } from '../schema/index.ts';
import { compileSchemaRules, runSchemaRules } from './index.ts';

interface Case {
  name: string;
  schema: JsonSchema;
  obj: JsonObject;
  oldObj: JsonObject | null;
  isRoot: boolean;
  valid?: { rule: string }[] | null;
  errors?: { rule: string; want: string; errs: string[] }[] | null;
}

const read = (file: string): string => readFileSync(new URL(`testdata/${file}`, import.meta.url), 'utf8');
const corpus = parseJson(read('celcorpus.json')).value as Case[];

/** The corpus' schemas stand below the root, as those of a field do. */
function outcome(c: Case, rule: ValidationRule): string[] {
  // A rule of several lines must have a message; the corpus goes around that check.
  const told = rule.rule.includes('\n') ? { ...rule, message: 'fails' } : rule;
  const schema = { ...c.schema, 'x-kubernetes-validations': [told] };
  const wrapped: JsonSchema = c.isRoot ? schema : { type: 'object', properties: { root: schema } };
  const rules = compileSchemaRules(wrapped);
  if (rules.errors.length > 0) return rules.errors.map((e) => e.message);
  const old = c.oldObj === null ? undefined : c.isRoot ? c.oldObj : { root: c.oldObj };
  return runSchemaRules(rules, c.isRoot ? c.obj : { root: c.obj }, old).map((e) => e.message);
}

/** Known not to hold or to be found yet, each with its reason; a rule that starts to hold must leave this list. */
const KNOWN: Record<string, string> = {
  'self.val3 == 340282346638528859811704183484516925440.000000 && 340282346638528859811704183484516925440.000000 == self.val3 && self.val3 == self.val4':
    "the data was a float32 in Go's memory, its JSON has fewer digits",
};

test("every rule that holds in Kubernetes' own test holds here", () => {
  const wrong: string[] = [];
  let count = 0;
  for (const c of corpus) {
    for (const { rule } of c.valid ?? []) {
      count++;
      const found = outcome(c, { rule });
      if (found.length > 0 !== rule in KNOWN) wrong.push(`${c.name}: ${rule}: ${found.join('; ')}`);
    }
  }
  assert.equal(count, 714);
  assert.deepEqual(wrong, []);
});

test("every rule that fails in Kubernetes' own test fails here, with its words", () => {
  const wrong: string[] = [];
  let count = 0;
  for (const c of corpus) {
    for (const { rule, want, errs } of c.errors ?? []) {
      count++;
      const found = outcome(c, { rule }).join('; ');
      const expected = want.replace(/^compile error: /, '');
      if (!found.includes(expected) && !(rule in KNOWN))
        wrong.push(`${c.name}: ${rule}: wanted ${errs[0] ?? want}, found ${found}`);
    }
  }
  assert.equal(count, 76);
  assert.deepEqual(wrong, []);
});

test('every rule of public CRDs parses', () => {
  const all = JSON.parse(read('rules.json')) as { rule: string; kind: string }[];
  // One entry is a placeholder of a test.
  const rules = all.filter((r) => r.kind !== 'kindValue');
  assert.equal(rules.length, 172);
  const anything: JsonSchema = {
    type: 'object',
    properties: { any: { 'x-kubernetes-int-or-string': true } },
  };
  const broken = rules.filter(({ rule }) => {
    const property = { ...anything.properties?.['any'], 'x-kubernetes-validations': [{ rule }] };
    const { errors } = compileSchemaRules({ type: 'object', properties: { any: property } });
    return errors.length > 0;
  });
  assert.deepEqual(broken, []);
});
