import type { Variable } from '@kubenode/api';

export type Values = Readonly<Record<string, string>>;

/** The values of a machine's variables, or the name of the label that one of them lacks. */
export type Resolved = { readonly values: Values } | { readonly missing: string; readonly label: string };

/**
 * The values that a move would freeze now. A label that is gone means hold, as every absence does: the machine then keeps the value that
 * was frozen before, and the default is only for a machine that never had one. So a tool that wipes labels changes no host.
 */
export function resolveVariables(
  variables: readonly Variable[],
  labels: Readonly<Record<string, string>>,
  frozen: Values | undefined,
): Resolved {
  const values: Record<string, string> = {};
  for (const variable of variables) {
    const { name, fromLabel } = variable;
    const value =
      fromLabel === undefined ? variable.value : (labels[fromLabel] ?? frozen?.[name] ?? variable.default);
    if (value === undefined) return { missing: name, label: fromLabel ?? '' };
    values[name] = value;
  }
  return { values };
}

export function sameValues(a: Values | undefined, b: Values | undefined): boolean {
  const left = Object.entries(a ?? {});
  return left.length === Object.keys(b ?? {}).length && left.every(([name, value]) => b?.[name] === value);
}
