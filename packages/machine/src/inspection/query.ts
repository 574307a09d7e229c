import type { InspectedBatch } from './inspections.ts';

/**
 * PromQL with what it asks for put in: `{{ component }}`, `{{ revision }}`, `{{ machines }}` as an alternation for =~, `{{ elapsed }}` as a
 * range of whole seconds, at least 1s. unknown: something else in braces.
 * @param now epoch milliseconds
 */
export function fillQuery(
  query: string,
  batch: Pick<InspectedBatch, 'component' | 'revision' | 'machines' | 'begunAt'>,
  now: number,
): { readonly query: string; readonly unknown?: string } {
  const values: Readonly<Record<string, () => string>> = {
    component: () => batch.component,
    revision: () => batch.revision,
    machines: () => batch.machines.map(escapeName).join('|'),
    elapsed: () => `${Math.max(1, Math.ceil((now - batch.begunAt) / 1000))}s`,
  };
  let unknown: string | undefined;
  const filled = query.replaceAll(/\{\{\s*([^{}]*?)\s*\}\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) unknown ??= name;
    return value?.() ?? whole;
  });
  return { query: filled, ...(unknown !== undefined && { unknown }) };
}

/** Of all that a name of an object may hold, only the dot means something in RE2. A backslash would have to be doubled between quotes. */
function escapeName(name: string): string {
  return name.replaceAll('.', '[.]');
}
