import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeProtobuf } from './protobuf.ts';

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 128))];
}

function field(number: number, value: string | number[] | Buffer): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([...varint((number << 3) | 2), ...varint(bytes.length)]), bytes]);
}

function number(at: number, value: number): Buffer {
  return Buffer.from([...varint(at << 3), ...varint(value)]);
}

function envelope(apiVersion: string, kind: string, ...message: Buffer[]): Buffer {
  const type = Buffer.concat([field(1, apiVersion), field(2, kind)]);
  return Buffer.concat([Buffer.from('k8s\0'), field(1, type), field(2, Buffer.concat(message))]);
}

test('a Secret: maps, bytes as base64, empty fields left out', () => {
  const metadata = Buffer.concat([
    field(1, 's'),
    field(2, ''),
    field(8, ''),
    field(11, Buffer.concat([field(1, 'app'), field(2, 'web')])),
  ]);
  const data = Buffer.concat([field(1, 'user'), field(2, 'me')]);
  assert.deepEqual(
    decodeProtobuf(envelope('v1', 'Secret', field(1, metadata), field(2, data), field(3, 'Opaque'))),
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 's', labels: { app: 'web' } },
      data: { user: Buffer.from('me').toString('base64') },
      type: 'Opaque',
    },
  );
});

test('a TokenRequest: numbers, repeated fields, a message inside', () => {
  const bound = Buffer.concat([field(1, 'Pod'), field(3, 'p'), field(4, 'u')]);
  const spec = Buffer.concat([field(1, 'a'), field(1, 'b'), number(4, 3600), field(3, bound)]);
  assert.deepEqual(
    decodeProtobuf(envelope('authentication.k8s.io/v1', 'TokenRequest', field(2, spec)))['spec'],
    {
      audiences: ['a', 'b'],
      expirationSeconds: 3600,
      boundObjectRef: { kind: 'Pod', name: 'p', uid: 'u' },
    },
  );
});

test('what is cut off, no protobuf, or of an unknown kind is refused', () => {
  const good = envelope('v1', 'Namespace', field(1, field(1, 'n')));
  assert.throws(() => decodeProtobuf(good.subarray(0, good.length - 1)), /shorter than it says/);
  assert.throws(() => decodeProtobuf(Buffer.from('{}')), /no Kubernetes protobuf/);
  assert.throws(() => decodeProtobuf(envelope('example.io/v1', 'Widget')), /send JSON/);
});
