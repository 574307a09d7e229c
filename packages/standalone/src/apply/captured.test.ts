import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  applyDefaults,
  compileSchema,
  type JsonObject,
  type JsonSchema,
  prune,
  validate,
} from '../schema/index.ts';
import {
  apply,
  ApplyError,
  jsonPatch,
  mergePatch,
  objectType,
  sameObject,
  updateManagedFields,
  type Writer,
} from './index.ts';

interface Step {
  note: string;
  request: { method: string; path: string; headers: Record<string, string>; body?: JsonObject | string };
  response: { status: number; body: JsonObject & { message?: string } };
}

const folder = new URL('testdata/', import.meta.url);
const read = (file: string): unknown => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const crd = read('crd.json') as { spec: { versions: { schema: { openAPIV3Schema: JsonSchema } }[] } };

function schemaOf(file: string): JsonSchema {
  const schema = structuredClone(crd.spec.versions[0]?.schema.openAPIV3Schema ?? {});
  const components = schema.properties?.['spec']?.properties?.['components'];
  assert.ok(components);
  if (file.startsWith('16-')) components.nullable = true;
  return schema;
}

/** Answered by the server before anything is merged: parameters, media types, names, preconditions. */
const SERVERS_OWN =
  /^(no fieldManager|managedFields empty list in body|name differs|wrong kind|no apiVersion|wrong apiVersion|no name in body|bad yaml|stale resourceVersion|uid of another|resourceVersion on create|uid on create|apply-patch\+json is not a type|strategic merge on a CR|fieldManager too long|yaml with comments and duplicate key|force on a merge patch is refused|status apply to an object that does not exist)$/;

const store = new Map<string, JsonObject>();
let replayed = 0;

for (const file of readdirSync(folder).sort()) {
  if (!/^\d\d-.*\.json$/.test(file) || file.startsWith('13-')) continue;
  const schema = schemaOf(file);
  const { steps } = read(file) as { steps: Step[] };
  test(`as the real server answers: ${file}`, async (t) => {
    for (const step of steps) {
      if (step.request.method === 'GET' || SERVERS_OWN.test(step.note)) continue;
      replayed++;
      await t.test(step.note, () => replay(schema, step));
    }
  });
}

test('all of the captured conversations were replayed', () => assert.equal(replayed, 125));

function replay(schema: JsonSchema, { request, response }: Step): void {
  const url = new URL(request.path, 'http://server');
  const [, , , , resource, pathName, subresource] = url.pathname.split('/');
  assert.equal(resource, 'machines');
  const name = pathName ?? String((request.body as { metadata?: JsonObject }).metadata?.['name']);
  const live = store.get(name);
  const outcome = attempt(schema, live, request, url.searchParams, subresource, latestTime(response.body));
  if (response.status >= 300) {
    assert.equal(outcome.error?.code ?? 422, response.status);
    if (outcome.error !== undefined)
      assert.equal(lines(outcome.error.message), lines(response.body.message ?? ''));
    else assert.ok(response.body.message?.endsWith(outcome.invalid ?? '?'), outcome.invalid);
    return;
  }
  assert.equal(outcome.error, undefined);
  assert.equal(outcome.invalid, undefined);
  const expected = response.body;
  assert.deepEqual(outcome.object?.['spec'], expected['spec']);
  assert.deepEqual(outcome.object?.['status'], expected['status']);
  const got = outcome.object?.['metadata'] as JsonObject;
  const want = expected['metadata'] as JsonObject;
  for (const key of ['labels', 'annotations', 'finalizers', 'ownerReferences'])
    assert.deepEqual(got[key], want[key]);
  assert.deepEqual(got['managedFields'], want['managedFields']);
  if (live !== undefined && url.searchParams.get('dryRun') === null) {
    const version = (live['metadata'] as JsonObject)['resourceVersion'];
    assert.equal(sameObject(live, outcome.object), version === want['resourceVersion']);
  }
  if (url.searchParams.get('dryRun') === null) store.set(name, expected);
}

interface Outcome {
  object?: JsonObject;
  error?: ApplyError;
  invalid?: string;
}

function attempt(
  schema: JsonSchema,
  live: JsonObject | undefined,
  request: Step['request'],
  query: URLSearchParams,
  subresource: string | undefined,
  now: string,
): Outcome {
  const type = objectType(schema);
  const writer: Writer = {
    manager: query.get('fieldManager') ?? (request.headers['user-agent'] ?? '').split('/')[0] ?? '',
    apiVersion: 'kubenode.io/v1alpha1',
    now,
    ...(subresource === undefined ? {} : { subresource }),
  };
  const body = request.body as JsonObject;
  try {
    if (request.headers['content-type'] === 'application/apply-patch+yaml') {
      const force = query.get('force') === 'true';
      const { object } = apply(type, live, body, { ...writer, force });
      return finish(schema, object, false);
    }
    const object = restrict(live, changed(live, request, body), subresource);
    const { object: finished, ...bad } = finish(schema, object, true);
    if (finished === undefined) return bad;
    const managedFields = updateManagedFields(type, live, finished, writer);
    const metadata = { ...(finished['metadata'] as JsonObject), managedFields };
    return { object: { ...finished, metadata } };
  } catch (error) {
    if (error instanceof ApplyError) return { error };
    throw error;
  }
}

function changed(live: JsonObject | undefined, request: Step['request'], body: JsonObject): JsonObject {
  switch (request.headers['content-type']) {
    case 'application/merge-patch+json':
      return mergePatch(live ?? {}, body);
    case 'application/json-patch+json':
      return jsonPatch(live ?? {}, body);
    case undefined:
    default:
      return body;
  }
}

/** What a custom resource's strategy does: /status writes the status alone, the main resource all but it. */
function restrict(
  live: JsonObject | undefined,
  object: JsonObject,
  subresource: string | undefined,
): JsonObject {
  if (subresource === 'status') return { ...live, status: object['status'] };
  const { status: _, ...rest } = object;
  return structuredClone(live?.['status'] === undefined ? rest : { ...rest, status: live['status'] });
}

function finish(schema: JsonSchema, object: JsonObject, dropNulls: boolean): Outcome {
  const compiled = compileSchema(schema);
  const copy = structuredClone(object);
  const metadata = copy['metadata'] as JsonObject;
  for (const key of ['labels', 'annotations', 'finalizers', 'ownerReferences'])
    if (metadata[key] === null || Object.keys(metadata[key] ?? {}).length === 0) delete metadata[key];
  prune(copy, compiled);
  applyDefaults(copy, compiled, { dropNulls });
  const [error] = validate(copy, compiled);
  return error === undefined ? { object: copy } : { invalid: `${error.field}: ${error.message}` };
}

function latestTime(body: JsonObject): string {
  const entries = ((body['metadata'] as JsonObject | undefined)?.['managedFields'] ?? []) as {
    time?: string;
  }[];
  return entries.map((e) => e.time ?? '').reduce((a, b) => (a > b ? a : b), '') || '2026-01-01T00:00:00Z';
}

/** Conflicts come in the order of Go maps. */
const lines = (text: string): string => text.split('\n').sort().join('\n');
