import type { User } from '../authn/user.ts';
import type { Resource, Version } from './resource.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

/** A request about a resource, after routing, authentication and authorization. */
export interface Request {
  user: User;
  /** Kubernetes' verb: get, list, watch, create, update, patch, delete, deletecollection. */
  verb: string;
  resource: Resource;
  version: Version;
  /** Empty for cluster-scoped resources and requests over all namespaces. */
  namespace: string;
  /** Empty for collections. */
  name: string;
  /** True for one object of many that are deleted by one request: admission is told no name then. */
  oneOfMany?: boolean;
  subresource: string;
  query: URLSearchParams;
  dryRun: boolean;
  fieldManager: string;
  fieldValidation: FieldValidation;
  /** Sent back as `Warning` headers. */
  warnings: string[];
  /** Milliseconds. */
  now: number;
}
