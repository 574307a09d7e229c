import type { Conversation, Step } from '../conversation.ts';
import { define, forget, widget, widgets } from './widget.ts';

const group = 'validation.differential.test';
const all = widgets(group);

/** Specs that the server refuses, or mends. */
const specs: Record<string, Record<string, unknown>> = {
  'a required field is missing': {},
  'below the minimum': { size: 0 },
  'above the maximum': { size: 101 },
  'text for a number': { size: 'x' },
  'a number for text': { size: 1, code: 5 },
  'a fraction for an integer': { size: 1.5 },
  'an integer written as a fraction': { size: 5.0 },
  'an exclusive minimum': { size: 1, ratio: 0 },
  'not in the enumeration': { size: 1, color: 'pink' },
  'not the pattern': { size: 1, code: 'ABC' },
  'too short': { size: 1, code: 'a' },
  'too long': { size: 1, code: 'abcdefghi' },
  'length counts characters': { size: 1, code: 'äöü' },
  'not a time': { size: 1, when: 'yesterday' },
  'a time': { size: 1, when: '2026-01-02T03:04:05Z' },
  'text for a boolean': { size: 1, enabled: 'true' },
  'int or string: int': { size: 1, percent: 5 },
  'int or string: string': { size: 1, percent: '5%' },
  'int or string: boolean': { size: 1, percent: true },
  'null where it may be': { size: 1, maybe: null },
  'null where it may not be': { size: 1, code: null },
  'null for a default': { size: 1, color: null },
  'a list for an object': { size: 1, nested: [] },
  'an object for a list': { size: 1, tags: {} },
  'a set with duplicates': { size: 1, tags: ['a', 'b', 'a'] },
  'a map list with duplicates': { size: 1, ports: [{ port: 1 }, { port: 1, protocol: 'TCP' }] },
  'a map list without a key': { size: 1, ports: [{ name: 'x' }] },
  'too many items': { size: 1, tags: ['1', '2', '3', '4', '5', '6', '7', '8', '9'] },
  'a wrong item': { size: 1, tags: [1] },
  'a wrong value in a map': { size: 1, labels: { a: 1 } },
  'anything in a free object': { size: 1, free: { a: { b: [1, null, 'x'] } } },
  'an unknown field is pruned': { size: 1, unknown: 'x', nested: { other: 1 } },
  'a rule across fields': { size: 1, low: 5, high: 1 },
  'several things at once': { color: 'pink', code: 'ABC', tags: ['a', 'a'], low: 5, high: 1 },
  'more than 32 bits': { size: 1, small: 4294967296 },
  defaults: { size: 1, nested: {}, ports: [{ port: 1 }] },
};

const creations = Object.entries(specs).map(
  ([name, spec], i): Step => ({ name, method: 'POST', path: all, body: widget(group, `w${i}`, spec) }),
);

export const validation: Conversation = {
  name: 'what a schema refuses, mends and lets through',
  steps: [
    ...define(group),
    ...creations,
    {
      name: 'strict: unknown fields',
      method: 'POST',
      path: `${all}?fieldValidation=Strict`,
      body: widget(group, 's1', { size: 1, unknown: 'x', nested: { other: 1 } }),
    },
    {
      name: 'strict: a field twice',
      method: 'POST',
      path: `${all}?fieldValidation=Strict`,
      body: `{"apiVersion":"${group}/v1","kind":"Widget","metadata":{"name":"s2"},"spec":{"size":1,"size":2}}`,
    },
    {
      name: 'ignore: unknown fields',
      method: 'POST',
      path: `${all}?fieldValidation=Ignore`,
      body: widget(group, 's3', { size: 1, unknown: 'x' }),
    },
    {
      name: 'a bad fieldValidation',
      method: 'POST',
      path: `${all}?fieldValidation=Perhaps`,
      body: widget(group, 's4', { size: 1 }),
    },
    { name: 'not JSON', method: 'POST', path: all, body: '{"apiVersion": ' },
    { name: 'an empty body', method: 'POST', path: all, body: '' },
    { name: 'spec is text', method: 'POST', path: all, body: { ...widget(group, 's5', {}), spec: 'x' } },
    {
      name: 'a fixed field is set',
      method: 'POST',
      path: all,
      body: widget(group, 'fixed', { size: 1, fixed: 'x' }),
    },
    {
      name: 'a fixed field changes',
      method: 'PATCH',
      type: 'application/merge-patch+json',
      path: `${all}/fixed`,
      body: { spec: { fixed: 'y' } },
    },
    {
      name: 'a fixed field goes',
      method: 'PATCH',
      type: 'application/merge-patch+json',
      path: `${all}/fixed`,
      body: { spec: { fixed: null } },
    },
    {
      name: 'a bad patch',
      method: 'PATCH',
      type: 'application/merge-patch+json',
      path: `${all}/fixed`,
      body: { spec: { size: 'x' } },
    },
    forget(group),
  ],
};
