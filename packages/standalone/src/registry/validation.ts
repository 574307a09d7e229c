import { runSchemaRules } from '../cel/index.ts';
import { invalid, type Cause } from '../http/status.ts';
import { isObj, show, type KubeObject } from '../object.ts';
import { blocksRules, validate, validateStatus, type FieldError } from '../schema/index.ts';
import { badValue, validateMetadata } from './metadata.ts';
import type { Request } from './request.ts';

/** The replicas that a scale subresource would show: a number of 0 or more, in objects. */
function checkScale(object: KubeObject, path: string[] | undefined, under: string): Cause[] {
  if (path?.[0] !== under) return [];
  let here: unknown = object;
  const field = `.${path.join('.')}`;
  for (const key of path) {
    if (here === undefined) return [];
    if (!isObj(here)) {
      const type = Array.isArray(here) ? '[]interface {}' : typeof here === 'boolean' ? 'bool' : typeof here;
      return [
        badValue(
          field,
          0,
          `${field} accessor error: ${show(here)} is of the type ${type}, expected map[string]interface{}`,
        ),
      ];
    }
    here = here[key];
  }
  return typeof here === 'number' && here < 0
    ? [badValue(field, here, 'should be a non-negative integer')]
    : [];
}

const RULES_NOT_RUN: Cause = {
  reason: 'FieldValueInvalid',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
  field: '<nil>',
};

/** Validates an object that is about to be stored. @throws ApiError 422 with every cause. */
export function check(object: KubeObject, old: KubeObject | undefined, request: Request): void {
  const { resource, version } = request;
  const causes: Cause[] = validateMetadata(object, resource.hooks.name ?? 'subdomain');
  if (resource.custom && version.schema) {
    const wrong = (request.subresource === 'status' ? validateStatus : validate)(object, version.schema, old);
    causes.push(...wrong, ...checkScale(object, version.scale?.spec, 'spec'));
    if (version.rules && version.rules.count > 0) {
      if (blocksRules(causes as FieldError[])) causes.push(RULES_NOT_RUN);
      else causes.push(...runSchemaRules(version.rules, object, old));
    }
  }
  causes.push(...(resource.hooks.validate?.(object, old) ?? []));
  if (causes.length > 0) {
    throw invalid({ group: resource.group, resource: resource.kind }, object.metadata.name ?? '', causes);
  }
}
