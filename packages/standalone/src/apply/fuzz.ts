import type { JsonObject } from '../schema/index.ts';

/** One request about one object of the fuzz CRD (`testdata/crd.json`), to be sent to two servers alike. */
export interface FuzzOperation {
  /** `apply` is server-side apply, `merge` a merge patch, `put` a replacement. */
  verb: 'apply' | 'merge' | 'put';
  /** The object's name: operations come in runs on one object. */
  name: string;
  manager: string;
  force: boolean;
  subresource: '' | 'status';
  /** The body. A `put` replaces the spec alone: the sender takes the rest from the live object (without managedFields where
   * `dropManagedFields`). A merge patch or put of an object that isn't there yet is to be left out. */
  body: JsonObject;
  dropManagedFields: boolean;
}

/** Operations on one object before the next begins. */
const RUN = 25;

/** `n` operations of a seed: the same ones for the same seed. */
export function randomOperations(seed: number, n: number): FuzzOperation[] {
  const random = new Random(seed);
  return Array.from({ length: n }, (_, i) =>
    operation(random, `fz${seed}-${Math.floor(i / RUN)}`, i % RUN === 0),
  );
}

/** mulberry32: 32 bits of state, good enough to vary and the same everywhere. */
class Random {
  private state: number;
  constructor(seed: number) {
    this.state = seed >>> 0;
  }
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = this.state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  chance(p: number): boolean {
    return this.next() < p;
  }
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)] as T;
  }
  /** A part of the items, in a random order. */
  some<T>(items: readonly T[]): T[] {
    const kept = items.filter(() => this.chance(0.45)).map((item) => ({ item, at: this.next() }));
    return kept.sort((a, b) => a.at - b.at).map(({ item }) => item);
  }
}

const API_VERSION = 'kubenode.io/v1alpha1';

function operation(random: Random, name: string, first: boolean): FuzzOperation {
  const kind = first ? 0 : random.next();
  const base = { name, force: false, subresource: '' as const, dropManagedFields: false };
  if (kind < 0.6) {
    const body = {
      apiVersion: API_VERSION,
      kind: 'Machine',
      metadata: metadata(random, name),
      spec: spec(random),
    };
    return { ...base, verb: 'apply', manager: random.pick(['a', 'b', 'c']), force: random.chance(0.4), body };
  }
  if (kind < 0.7) return statusOperation(random, name);
  const manager = random.pick(['u1', 'u2']);
  if (random.chance(0.5))
    return {
      ...base,
      verb: 'put',
      manager,
      body: { spec: spec(random) },
      dropManagedFields: random.chance(0.3),
    };
  const removed = random.chance(0.3) ? { [random.pick(['tags', 'labels', 'components', 'free'])]: null } : {};
  const labels = random.chance(0.2) ? { metadata: { labels: { m1: random.pick(['1', null]) } } } : {};
  return { ...base, verb: 'merge', manager, body: { spec: { ...spec(random), ...removed }, ...labels } };
}

function statusOperation(random: Random, name: string): FuzzOperation {
  const components = random
    .some(['a', 'b', 'c'])
    .map((c) => ({ name: c, state: random.pick(['ok', 'bad']) }));
  const status = { phase: random.pick(['A', 'B']), components };
  const base = {
    name,
    manager: random.pick(['agent', 'x']),
    subresource: 'status' as const,
    dropManagedFields: false,
  };
  if (random.chance(0.5)) {
    const body = { apiVersion: API_VERSION, kind: 'Machine', metadata: { name }, status };
    return { ...base, verb: 'apply', force: random.chance(0.5), body };
  }
  return { ...base, verb: 'merge', force: false, body: { status } };
}

function metadata(random: Random, name: string): JsonObject {
  const out: JsonObject = { name };
  if (random.chance(0.3))
    out['labels'] = Object.fromEntries(
      random.some(['m1', 'm2']).map((key) => [key, random.pick(['1', '2'])]),
    );
  if (random.chance(0.1)) out['finalizers'] = random.some(['k.io/a', 'k.io/b']);
  return out;
}

/** A spec with every kind of field that ownership treats in its own way. */
function spec(random: Random): JsonObject {
  const out: JsonObject = {};
  const maybe = (p: number, key: string, make: () => unknown): void => {
    if (random.chance(p)) out[key] = make();
  };
  maybe(0.4, 'provider', () => random.pick(['p1', 'p2']));
  maybe(0.3, 'note', () => random.pick(['n1', 'n2']));
  maybe(0.2, 'port', () => random.pick<unknown>([1, 'x']));
  maybe(0.4, 'tags', () => random.some(['a', 'b', 'c', 'd']));
  maybe(0.2, 'plain', () => [{ a: random.pick(['1', '2']) }]);
  maybe(0.2, 'atom', () => ({ a: random.pick(['1', '2']) }));
  maybe(0.3, 'free', () => ({
    [random.pick(['x', 'y'])]: random.pick<unknown>([1, { z: 1 }, {}, [1, 2], null]),
  }));
  maybe(0.3, 'labels', () =>
    Object.fromEntries(random.some(['l1', 'l2', 'l3']).map((k) => [k, random.pick(['1', '2'])])),
  );
  maybe(0.7, 'components', () => random.some(['a', 'b', 'c', 'd']).map((name) => component(random, name)));
  maybe(0.3, 'ports', () =>
    random
      .some(PORTS)
      .map((port) => (random.chance(0.4) ? { ...port, name: random.pick(['x', 'y']) } : port)),
  );
  return out;
}

const PORTS: readonly JsonObject[] = [
  { port: 80, protocol: 'TCP' },
  { port: 80, protocol: 'UDP' },
  { port: 53 },
];

function component(random: Random, name: string): JsonObject {
  const out: JsonObject = { name };
  if (random.chance(0.7)) out['revision'] = random.pick(['r1', 'r2']);
  if (random.chance(0.25))
    out['extra'] = random.chance(0.3) ? {} : { [random.pick(['k', 'j'])]: random.pick(['1', '2']) };
  return out;
}
