/**
 * Makes `src/kinds/generated/{schemas,protobuf}.json` from Kubernetes' own published descriptions (Apache-2.0).
 *
 * Usage: `node generate/kubernetes.ts <module directory of k8s.io/kubernetes> <of k8s.io/api> <of k8s.io/apimachinery>`,
 * the directories being what `go mod download -json k8s.io/kubernetes@v1.36.3` (and so on) prints as `Dir`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = { [key: string]: Json };

const GROUPS = [
  'api__v1',
  'apis__apps__v1',
  'apis__coordination.k8s.io__v1',
  'apis__certificates.k8s.io__v1',
  'apis__rbac.authorization.k8s.io__v1',
  'apis__admissionregistration.k8s.io__v1',
  'apis__storage.k8s.io__v1',
  'apis__node.k8s.io__v1',
  'apis__scheduling.k8s.io__v1',
  'apis__apiextensions.k8s.io__v1',
  'apis__authentication.k8s.io__v1',
  'apis__authorization.k8s.io__v1',
  'apis__events.k8s.io__v1',
  'apis__discovery.k8s.io__v1',
  'apis__policy__v1',
];

const PROTOS = [
  ['api', 'core/v1'],
  ['api', 'apps/v1'],
  ['api', 'coordination/v1'],
  ['api', 'certificates/v1'],
  ['api', 'rbac/v1'],
  ['api', 'scheduling/v1'],
  ['api', 'authentication/v1'],
  ['api', 'authorization/v1'],
  ['api', 'policy/v1'],
  ['apimachinery', 'pkg/apis/meta/v1'],
  ['apimachinery', 'pkg/api/resource'],
  ['apimachinery', 'pkg/util/intstr'],
  ['apimachinery', 'pkg/runtime'],
] as const;

/** Whole descriptions are 800 KB; the first sentence is what `kubectl explain` needs to be of use. */
function firstSentence(text: string): string {
  const end = text.search(/\.(\s|$)/);
  return end < 0 || end > 200 ? text.slice(0, 200) : text.slice(0, end + 1);
}

function shorten(value: Json, key = ''): Json {
  if (Array.isArray(value)) return value.map((item) => shorten(item));
  if (value !== null && typeof value === 'object') {
    const out: Schema = {};
    for (const [k, v] of Object.entries(value)) {
      if (k === 'description' && typeof v === 'string') out[k] = firstSentence(v);
      else if (k === 'x-kubernetes-group-version-kind' && key !== 'root') {
        if (Array.isArray(v) && v.length === 1) out[k] = v;
      } else out[k] = shorten(v);
    }
    return out;
  }
  return value;
}

function schemas(kubernetes: string): Schema {
  const all: Schema = {};
  for (const group of GROUPS) {
    const file = join(kubernetes, 'api/openapi-spec/v3', `${group}_openapi.json`);
    const document = JSON.parse(readFileSync(file, 'utf8')) as { components: { schemas: Schema } };
    for (const [name, schema] of Object.entries(document.components.schemas)) all[name] ??= shorten(schema);
  }
  return all;
}

/** One message: field number to `[JSON name, type, shape]`. */
type Message = Record<string, [string, string, '' | 'repeated' | 'map']>;

function messages(text: string, names: Map<string, Map<string, string>>): Record<string, Message> {
  const proto = /^package ([\w.]+);/m.exec(text)?.[1] ?? '';
  const out: Record<string, Message> = {};
  for (const match of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const full = `${proto}.${match[1]}`;
    const message: Message = {};
    for (const field of (match[2] ?? '').matchAll(
      /^ {2}(?:(optional|repeated) ([\w.]+)|map<string, ([\w.]+)>) (\w+) = (\d+)/gm,
    )) {
      const raw = field[2] ?? field[3] ?? '';
      const scalar = /^(string|bytes|bool|int32|int64|double|uint32|uint64)$/.test(raw);
      const type = scalar ? raw : raw.startsWith('.') ? raw.slice(1) : `${proto}.${raw}`;
      const name = field[4] ?? '';
      const json = names.get(full)?.get(name.toLowerCase()) ?? name;
      message[field[5] ?? ''] = [json, type, field[3] ? 'map' : field[1] === 'repeated' ? 'repeated' : ''];
    }
    out[full] = message;
  }
  return out;
}

function protobuf(directories: { api: string; apimachinery: string }, all: Schema): Record<string, Message> {
  const names = new Map<string, Map<string, string>>();
  for (const [name, schema] of Object.entries(all)) {
    const properties = (schema as { properties?: Schema }).properties ?? {};
    names.set(
      name.replace(/^io\.k8s\./, 'k8s.io.'),
      new Map(Object.keys(properties).map((key) => [key.toLowerCase(), key])),
    );
  }
  const out: Record<string, Message> = {};
  for (const [module, path] of PROTOS) {
    Object.assign(
      out,
      messages(readFileSync(join(directories[module], path, 'generated.proto'), 'utf8'), names),
    );
  }
  return out;
}

const [kubernetes, api, apimachinery] = process.argv.slice(2);
if (!kubernetes || !api || !apimachinery) {
  throw new Error('usage: kubernetes.ts <k8s.io/kubernetes> <k8s.io/api> <k8s.io/apimachinery>');
}
const target = join(import.meta.dirname, '../src/kinds/generated');
const all = schemas(kubernetes);
writeFileSync(join(target, 'schemas.json'), `${JSON.stringify(all)}\n`);
writeFileSync(join(target, 'protobuf.json'), `${JSON.stringify(protobuf({ api, apimachinery }, all))}\n`);
