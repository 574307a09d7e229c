import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  aggregateMessage,
  applyDefaults,
  compileSchema,
  type FieldError,
  type JsonObject,
  type JsonSchema,
  parseJson,
  prune,
  validate,
} from './index.ts';

interface Exchange {
  note: string;
  request: { body: JsonObject | string };
  response: { status: number; body: JsonObject & { details?: { causes?: FieldError[] }; message?: string } };
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8'));
const schema = compileSchema(read('cluster-api-machine.json') as JsonSchema);

const sorted = (errors: readonly FieldError[]): string[] =>
  errors.map((e) => JSON.stringify([e.field, e.reason, e.message])).sort();

/** Names, labels, namespaces and the kind are checked by the server around the schema. */
const SERVERS_OWN = /^(bad name|bad label|label number|namespace mismatch|kind mismatch|no name)$/;

for (const { note, request, response } of read('validation.json') as Exchange[]) {
  if (SERVERS_OWN.test(note)) continue;
  test(`as the real server answers: ${note}`, () => {
    const { body } = request;
    const object = (typeof body === 'string' ? parseJson(body).value : structuredClone(body)) as JsonObject;
    delete object['status'];
    applyDefaults(object, schema);
    prune(object, schema);
    const errors = validate(object, schema);
    // The real server walks Go maps: the order of its causes is chance.
    const causes = response.body.details?.causes ?? [];
    assert.deepEqual(sorted(errors), sorted(causes));
    if (response.status === 422) assert.ok(response.body.message?.endsWith(aggregateMessage(causes)));
    else assert.deepEqual(object['spec'], response.body['spec']);
  });
}
