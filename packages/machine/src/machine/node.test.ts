import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Machine, NodeTemplate } from '@kubenode/api';
import { type NodePatch, type NodeView, planNode, planNodeRemoval } from './node.ts';

const bare: NodeView = {
  name: 'n1',
  uid: 'node-uid',
  resourceVersion: '7',
  labels: { 'kubernetes.io/hostname': 'n1', 'kubenode.io/machine': 'n1' },
  annotations: { 'by-hand': 'x' },
  taints: [],
  kubeletVersion: 'v1.36.3',
  problems: [],
  ready: { status: 'True', reason: 'KubeletReady', message: '' },
};

function machine(node?: NodeTemplate): Machine {
  return {
    apiVersion: 'kubenode.io/v1alpha1',
    kind: 'Machine',
    metadata: { name: 'n1', uid: 'u', generation: 1 },
    spec: { deletionPolicy: 'Retain', paused: false, nodeName: 'n1', ...(node && { node }) },
  };
}

/** The Node after the patch, as the API server would merge it. */
function patched(node: NodeView, patch: NodePatch | undefined): NodeView {
  const merge = (
    before: Readonly<Record<string, string>>,
    changes: Readonly<Record<string, string | null>> = {},
  ) =>
    Object.fromEntries(
      Object.entries({ ...before, ...changes }).filter(
        (entry): entry is [string, string] => entry[1] !== null,
      ),
    );
  return {
    ...node,
    labels: merge(node.labels, patch?.metadata.labels),
    annotations: merge(node.annotations, patch?.metadata.annotations),
    taints: patch?.spec?.taints ?? node.taints,
  };
}

function synced(node: NodeView, template?: NodeTemplate, initialized = false): NodeView {
  const after = patched(node, planNode(machine(template), node, initialized));
  assert.equal(planNode(machine(template), after, initialized), undefined, 'a second look changes nothing');
  return after;
}

test('the Node gets the label of its Machine, with the resourceVersion that was read', () => {
  const patch = planNode(machine(), { ...bare, labels: {} }, false);
  assert.deepEqual(patch, {
    metadata: { resourceVersion: '7', labels: { 'kubenode.io/machine': 'n1' } },
  });
});

test('declared labels and annotations are put there, changed ones follow', () => {
  const first = synced(bare, { labels: { tier: 'gold' }, annotations: { owner: 'me' } });
  assert.equal(first.labels['tier'], 'gold');
  assert.equal(first.annotations['owner'], 'me');
  assert.equal(synced(first, { labels: { tier: 'tin' } }).labels['tier'], 'tin');
});

test('what is no longer declared goes, what others put there stays', () => {
  const first = synced(bare, { labels: { tier: 'gold', zone: 'a' }, annotations: { owner: 'me' } });
  const byHand = { ...first, labels: { ...first.labels, 'by-hand': 'yes' } };
  const after = synced(byHand, { labels: { zone: 'a' } });
  assert.deepEqual(after.labels, { ...bare.labels, zone: 'a', 'by-hand': 'yes' });
  assert.equal(after.annotations['owner'], undefined);
  assert.equal(after.annotations['by-hand'], 'x');
});

test('a declared value that somebody changed is put back', () => {
  const first = synced(bare, { labels: { tier: 'gold' } });
  assert.equal(
    synced({ ...first, labels: { ...first.labels, tier: 'mud' } }, { labels: { tier: 'gold' } }).labels[
      'tier'
    ],
    'gold',
  );
});

test('taints Always are kept there, and go when they are no longer declared; foreign ones stay', () => {
  const foreign = { key: 'node.kubernetes.io/disk-pressure', effect: 'NoSchedule' } as const;
  const ours = { key: 'gpu', value: 'yes', effect: 'NoSchedule', propagation: 'Always' } as const;
  const node = { ...bare, taints: [foreign] };
  const first = synced(node, { taints: [ours] });
  assert.deepEqual(first.taints, [foreign, { key: 'gpu', value: 'yes', effect: 'NoSchedule' }]);
  assert.deepEqual(synced({ ...first, taints: [foreign] }, { taints: [ours] }).taints.length, 2);
  assert.deepEqual(synced(first).taints, [foreign]);
});

test('taints OnInitialization are put there once, and whoever takes one away is not overruled', () => {
  const startup = {
    key: 'cni.example/agent',
    effect: 'NoSchedule',
    propagation: 'OnInitialization',
  } as const;
  const first = synced(bare, { taints: [startup] });
  assert.equal(first.taints.length, 1);
  const lifted = synced({ ...first, taints: [] }, { taints: [startup] });
  assert.deepEqual(lifted.taints, []);
});

test('the taint of the uninitialized goes at the first time that all is Ready, and no sooner', () => {
  const taints = [{ key: 'kubenode.io/uninitialized', effect: 'NoExecute' } as const];
  assert.equal(planNode(machine(), { ...bare, taints }, false), undefined);
  assert.deepEqual(synced({ ...bare, taints }, undefined, true).taints, []);
});

test('a host that is cleaned leaves nothing of ours on the Node', () => {
  const startup = { key: 'cni', effect: 'NoSchedule', propagation: 'OnInitialization' } as const;
  const first = synced(bare, { labels: { tier: 'gold' }, annotations: { owner: 'me' }, taints: [startup] });
  const after = patched(first, planNodeRemoval(first));
  assert.deepEqual(after.labels, { 'kubernetes.io/hostname': 'n1' });
  assert.deepEqual(after.annotations, { 'by-hand': 'x' });
  assert.deepEqual(after.taints, []);
});
