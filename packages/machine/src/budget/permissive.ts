import type { Budget } from './budget.ts';

/** A budget without limits, for a look at what would be where nothing is disturbed. */
export const permissiveBudget: Budget = {
  reserve: (wants) => ({
    granted: wants.map(({ machine }) => machine),
    denied: undefined,
    written: () => Promise.resolve(true),
  }),
  release: () => undefined,
  held: () => new Set(),
  onChange: () => undefined,
};
