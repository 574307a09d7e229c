import { formatDuration } from '@kubenode/runtime';
import { treeLines } from '../tree/branch.ts';
import type { Preview } from './preview.ts';

const deeds: Readonly<Record<string, string>> = {
  None: 'Disturbs nothing',
  Reload: 'Reloads its unit; nothing is restarted',
  Restart: 'Restarts its unit',
  Drain: 'Drains the machine first',
  Reboot: 'Drains and reboots the machine',
};
const mostNames = 12;

/** @param width of the terminal in characters */
export function previewLines(preview: Preview, width?: number): string[] {
  const { set, from, to, batches, disruption, disturbed, left } = preview;
  const moved = batches.reduce((sum, { machines }) => sum + machines.length, 0);
  if (moved === 0 && left.length === 0)
    return [`set/${set}: ${to} is on all its machines already; nothing would change.`];
  const way = from.length === 0 || from.join() === to ? to : `${from.join(', ')} → ${to}`;
  const total = moved === 1 ? '1 machine' : `${moved} machines`;
  const count = batches.filter(({ number }) => number > 0).length;
  return [
    ...fit(`set/${set}: ${way} on ${total} in ${count === 1 ? '1 batch' : `${count} batches`}`, width),
    ...fit(`${deeds[disruption] ?? disruption}${disturbed > 0 ? `, on ${disturbed} of them` : ''}.`, width),
    ...section('What differs', preview.differences, width),
    '',
    ...treeLines({ text: 'Batches', branches: batches.map((batch) => ({ text: batchText(batch) })) }, width),
    ...section('Not moved as things are', left.length === 0 ? [] : [names(left)], width),
    '',
    ...fit(timeText(preview), width),
    ...section('Counted with', preview.assumptions, width),
    ...section(
      'In the way now',
      preview.holds.map(({ what, until, help }) =>
        [what.replace(/\.$/, ''), until === undefined ? '' : `until ${until}`, help ?? '']
          .filter((part) => part !== '')
          .join('; '),
      ),
      width,
    ),
  ];
}

function batchText({ number, machines, afterMs }: Preview['batches'][number]): string {
  const begins = afterMs < 1000 ? 'now' : `+${formatDuration(afterMs)}`;
  const what = number === 0 ? 'new machines' : `batch ${number}`;
  return `${what.padEnd(8)}  ${begins.padEnd(8)}  ${machines.length === 1 ? '1 machine ' : `${machines.length} machines`}  ${names(machines)}`;
}

function names(machines: readonly string[]): string {
  const shown = machines.slice(0, mostNames).join(' ');
  return machines.length > mostNames ? `${shown} and ${machines.length - mostNames} more` : shown;
}

function timeText({ isDone, durationMs, stuck }: Preview): string {
  const time = formatDuration(Math.round(durationMs / 1000) * 1000);
  if (isDone) return `Done after ${time}, where all goes well.`;
  return `Does not end: after ${time} nothing happens any more. ${stuck ?? ''}`;
}

function section(title: string, items: readonly string[], width?: number): string[] {
  if (items.length === 0) return [];
  return ['', ...treeLines({ text: title, branches: items.map((text) => ({ text })) }, width)];
}

function fit(text: string, width?: number): string[] {
  return treeLines({ text }, width).map((line) => line.trimStart());
}
