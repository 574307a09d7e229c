import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Reader } from './reader.ts';
import type { DBusValue } from './signature.ts';
import { MarshalError, splitSignature, Variant } from './signature.ts';
import { Writer } from './writer.ts';

/** mulberry32: a run can be repeated by its seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function randomType(random: (below: number) => number, depth: number): string {
  const plain = 'ybnqiuxtdsog';
  const pick = random(depth > 3 ? plain.length : plain.length + 4);
  if (pick < plain.length) return plain[pick] ?? 'y';
  if (pick === plain.length) return 'v';
  if (pick === plain.length + 1) return `a${randomType(random, depth + 1)}`;
  if (pick === plain.length + 2)
    return `a{${plain[random(plain.length)] ?? 's'}${randomType(random, depth + 1)}}`;
  return `(${Array.from({ length: 1 + random(3) }, () => randomType(random, depth + 1)).join('')})`;
}

function randomValue(type: string, random: (below: number) => number, depth: number): DBusValue {
  const range = (low: number, count: number): number => low + random(count);
  switch (type.charAt(0)) {
    case 'y':
      return random(256);
    case 'b':
      return random(2) === 1;
    case 'n':
      return range(-32_768, 65_536);
    case 'q':
      return random(65_536);
    case 'i':
      return range(-(2 ** 31), 2 ** 32);
    case 'u':
      return random(2 ** 32);
    case 'x':
      return BigInt(random(2 ** 32)) * BigInt(range(-(2 ** 30), 2 ** 31));
    case 't':
      return BigInt(random(2 ** 32)) * BigInt(random(2 ** 32));
    case 'd':
      return (random(2 ** 32) - 2 ** 31) / (1 + random(1000));
    case 's':
    case 'o':
      return Array.from({ length: random(12) }, () => String.fromCodePoint(1 + random(0x2fff))).join('');
    case 'g':
      return randomType(random, 3);
    case 'v': {
      const inner = randomType(random, depth + 1);
      return new Variant(inner, randomValue(inner, random, depth + 1));
    }
    case '(':
      return splitSignature(type.slice(1, -1)).map((field) => randomValue(field, random, depth + 1));
    default:
      return randomArray(type, random, depth);
  }
}

function randomArray(type: string, random: (below: number) => number, depth: number): DBusValue {
  const count = random(depth > 2 ? 3 : 6);
  const element = type.slice(1);
  if (!element.startsWith('{'))
    return Array.from({ length: count }, () => randomValue(element, random, depth + 1));
  const [key = '', value = ''] = splitSignature(element.slice(1, -1));
  return new Map(
    Array.from({ length: count }, () => [
      randomValue(key, random, depth + 1),
      randomValue(value, random, depth + 1),
    ]),
  );
}

test('reads back whatever it writes: 3,000 random signatures and values', () => {
  for (let seed = 1; seed <= 3_000; seed += 1) {
    const random = seeded(seed);
    const signature = Array.from({ length: 1 + random(4) }, () => randomType(random, 0)).join('');
    const values = splitSignature(signature).map((type) => randomValue(type, random, 0));
    const writer = new Writer();
    writer.writeAll(signature, values);
    const read = new Reader(writer.bytes(), { littleEndian: true }).readAll(signature);
    assert.deepEqual(read, values, `seed ${seed}, signature ${signature}`);
  }
});

test('writes the bytes that the specification shows', () => {
  const writer = new Writer();
  writer.writeAll('ysa(u)x', [1, 'foo', [[2], [3]], -1n]);
  // Structs begin at multiples of 8, so there is a gap between the two; the 64-bit integer begins at one too.
  const bytes = '01000000 03000000 666f6f00 0c000000 02000000 00000000 03000000 00000000 ffffffff ffffffff';
  assert.equal(writer.bytes().toString('hex'), bytes.replaceAll(' ', ''));
  assert.deepEqual(new Reader(writer.bytes(), { littleEndian: true }).readAll('ysa(u)x'), [
    1,
    'foo',
    [[2], [3]],
    -1n,
  ]);
});

test('reads the other byte order', () => {
  const bytes = Buffer.from('00000003666f6f0000000000fffffffffffffffe', 'hex');
  assert.deepEqual(
    new Reader(Buffer.concat([bytes.subarray(0, 8), bytes.subarray(12)]), { littleEndian: false }).readAll(
      'sx',
    ),
    ['foo', -2n],
  );
});

test('damaged bytes give an error or a value, never a crash or an endless loop', () => {
  for (let seed = 1; seed <= 2_000; seed += 1) {
    const random = seeded(seed);
    const signature = randomType(random, 0);
    const writer = new Writer();
    writer.writeAll(signature, [randomValue(signature, random, 0)]);
    const bytes = Buffer.from(writer.bytes());
    if (bytes.length > 0) bytes[random(bytes.length)] = random(256);
    try {
      new Reader(bytes.subarray(0, random(bytes.length + 1)), { littleEndian: true }).readAll(signature);
    } catch (error) {
      assert.ok(error instanceof MarshalError, `seed ${seed}: ${String(error)}`);
    }
  }
});

test('refuses values that do not fit their type', () => {
  const write = (signature: string, ...values: DBusValue[]): void => new Writer().writeAll(signature, values);
  assert.throws(() => write('y', 256), MarshalError);
  assert.throws(() => write('u', -1), MarshalError);
  assert.throws(() => write('s', 1), MarshalError);
  assert.throws(() => write('s', 'a\0b'), MarshalError);
  assert.throws(() => write('t', 1.5), MarshalError);
  assert.throws(() => write('v', new Variant('su', 'x')), MarshalError);
  assert.throws(() => write('(s', 'x'), MarshalError);
  assert.throws(() => write('ss', 'x'), /needs 2 values and got 1/);
});
