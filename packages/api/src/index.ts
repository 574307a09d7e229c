export type * from './generated/types.ts';
export * from './crds.ts';
export type * from './meta.ts';
export * from './names.ts';
