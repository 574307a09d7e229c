import type { Cause } from '../http/status.ts';
import { isObj, list, text, type KubeObject } from '../object.ts';

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const LABEL_VALUE = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
/** Together at most this many bytes, keys and values. */
const ANNOTATIONS_LIMIT = 256 * 1024;

const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_TEXT =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

export function badValue(field: string, value: unknown, why: string): Cause {
  return {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
    field,
  };
}

export function required(field: string, why = ''): Cause {
  return { reason: 'FieldValueRequired', message: why ? `Required value: ${why}` : 'Required value', field };
}

export function unsupported(field: string, value: unknown, supported: string[]): Cause {
  return {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${supported.map((v) => JSON.stringify(v)).join(', ')}`,
    field,
  };
}

function nameProblem(name: string, rule: 'subdomain' | 'label' | 'path'): string | undefined {
  if (rule === 'path') {
    if (name === '.' || name === '..') return `may not be '${name}'`;
    if (name.includes('/')) return "may not contain '/'";
    return name.includes('%') ? "may not contain '%'" : undefined;
  }
  if (rule === 'label') {
    if (name.length > 63) return 'must be no more than 63 bytes';
    return LABEL.test(name) ? undefined : LABEL_TEXT;
  }
  if (name.length > 253) return 'must be no more than 253 bytes';
  return SUBDOMAIN.test(name) ? undefined : SUBDOMAIN_TEXT;
}

function qualifiedProblem(key: string): string | undefined {
  const slash = key.indexOf('/');
  const name = key.slice(slash + 1);
  if (slash >= 0) {
    const prefix = key.slice(0, slash);
    if (prefix === '') return 'prefix part must be non-empty';
    if (!SUBDOMAIN.test(prefix)) return `prefix part ${SUBDOMAIN_TEXT}`;
  }
  if (name === '') return 'name part must be non-empty';
  if (name.length > 63) return 'name part must be no more than 63 bytes';
  return QUALIFIED.test(name) ? undefined : QUALIFIED_TEXT;
}

/** Shape of `metadata`: what Go's decoder would refuse. The text of the error, or undefined. */
export function metadataTypeProblem(metadata: unknown): string | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  if (!isObj(metadata))
    return `json: cannot unmarshal ${goType(metadata)} into Go struct field .metadata of type v1.ObjectMeta`;
  for (const key of ['name', 'namespace', 'generateName', 'uid', 'resourceVersion']) {
    const value = metadata[key];
    if (value !== undefined && value !== null && typeof value !== 'string') {
      return `json: cannot unmarshal ${goType(value)} into Go struct field ObjectMeta.${key} of type string`;
    }
  }
  for (const key of ['labels', 'annotations']) {
    const value = metadata[key];
    if (value === undefined || value === null) continue;
    if (!isObj(value)) {
      return `json: cannot unmarshal ${goType(value)} into Go struct field ObjectMeta.${key} of type map[string]string`;
    }
    for (const item of Object.values(value)) {
      if (typeof item !== 'string' && item !== null) {
        return `json: cannot unmarshal ${goType(item)} into Go struct field ObjectMeta.${key} of type string`;
      }
    }
  }
  for (const key of ['finalizers', 'ownerReferences', 'managedFields']) {
    const value = metadata[key];
    if (value !== undefined && value !== null && !Array.isArray(value)) {
      return `json: cannot unmarshal ${goType(value)} into Go struct field ObjectMeta.${key} of type []`;
    }
  }
  return undefined;
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}

const KNOWN = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
]);

/** Drops what `metadata` doesn't know, and nulls and empties; gives the paths of the unknown. */
export function tidyMetadata(object: KubeObject): string[] {
  const unknown: string[] = [];
  const metadata = object.metadata as unknown as Record<string, unknown>;
  for (const [key, value] of Object.entries(metadata)) {
    if (!KNOWN.has(key)) {
      unknown.push(`metadata.${key}`);
      delete metadata[key];
    } else if (value === null || value === '' || (key !== 'managedFields' && isEmpty(value))) {
      delete metadata[key];
    }
  }
  delete metadata['selfLink'];
  // Go reads null as the empty text.
  for (const map of [metadata['labels'], metadata['annotations']]) {
    if (isObj(map)) for (const [key, value] of Object.entries(map)) map[key] = value ?? '';
  }
  return unknown;
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : isObj(value) && Object.keys(value).length === 0;
}

/** Causes about `metadata`, as ValidateObjectMeta gives them. */
export function validateMetadata(object: KubeObject, rule: 'subdomain' | 'label' | 'path'): Cause[] {
  const causes: Cause[] = [];
  const { metadata } = object;
  if (!metadata.name) {
    causes.push(required('metadata.name', 'name or generateName is required'));
  } else {
    const problem = nameProblem(metadata.name, rule);
    if (problem) causes.push(badValue('metadata.name', metadata.name, problem));
  }
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    const problem = qualifiedProblem(key);
    if (problem) causes.push(badValue('metadata.labels', key, problem));
    if (value.length > 63) causes.push(badValue('metadata.labels', value, 'must be no more than 63 bytes'));
    else if (!LABEL_VALUE.test(value)) causes.push(badValue('metadata.labels', value, VALUE_TEXT));
  }
  let size = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    const problem = qualifiedProblem(key.toLowerCase());
    if (problem) causes.push(badValue('metadata.annotations', key, problem));
    size += Buffer.byteLength(key) + Buffer.byteLength(value);
  }
  if (size > ANNOTATIONS_LIMIT) {
    causes.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${ANNOTATIONS_LIMIT} bytes`,
      field: 'metadata.annotations',
    });
  }
  list(metadata, 'ownerReferences').forEach((owner, i) => {
    for (const key of ['apiVersion', 'kind', 'name', 'uid']) {
      if (!text(owner, key)) {
        causes.push(
          badValue(
            `metadata.ownerReferences[${i}].${key}`,
            '',
            `${key === 'apiVersion' ? 'version' : key} must not be empty`,
          ),
        );
      }
    }
  });
  const controllers = list(metadata, 'ownerReferences').filter((o) => isObj(o) && o['controller'] === true);
  if (controllers.length > 1) {
    causes.push(
      badValue(
        'metadata.ownerReferences',
        metadata.ownerReferences,
        'Only one reference can have Controller set to true.',
      ),
    );
  }
  for (const finalizer of metadata.finalizers ?? []) {
    const problem = qualifiedProblem(finalizer);
    if (problem) causes.push(badValue('metadata.finalizers', finalizer, problem));
  }
  return causes;
}
