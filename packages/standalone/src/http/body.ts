import type { IncomingMessage } from 'node:http';
import { parseDocument } from 'yaml';
import { isObj, show, type KubeObject, type Obj } from '../object.ts';
import { metadataTypeProblem } from '../registry/metadata.ts';
import type { Request } from '../registry/request.ts';
import { apiVersion } from '../registry/resource.ts';
import { JsonError, parseJson } from '../schema/index.ts';
import { decodeProtobuf } from './protobuf.ts';
import { ApiError, badRequest, invalid } from './status.ts';

/** The real server's limit for one request's body. */
export const BODY_LIMIT = 3 * 1024 * 1024;

/** @throws ApiError 413 */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT) {
      throw new ApiError(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${BODY_LIMIT}`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export interface Decoded {
  value: unknown;
  /** `duplicate field "x"` for each key that came twice. */
  problems: string[];
}

export function mediaType(contentType: string | undefined): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** @throws ApiError 400 for what can't be read, 415 for a type that is not known. */
export function decode(body: Buffer, contentType: string | undefined, kind = ''): Decoded {
  const type = mediaType(contentType);
  if (type === 'application/yaml') return decodeYaml(body);
  if (type === 'application/vnd.kubernetes.protobuf') return { value: decodeProtobuf(body), problems: [] };
  if (type !== '' && type !== 'application/json' && type !== 'application/x-www-form-urlencoded') {
    throw new ApiError(
      415,
      'UnsupportedMediaType',
      'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf',
    );
  }
  return decodeJson(body, kind);
}

export function decodeJson(body: Buffer, kind = ''): Decoded {
  try {
    const { value, duplicates } = parseJson(body.toString('utf8'));
    return { value, problems: duplicates.map((path) => `duplicate field "${path}"`) };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw badRequest(
      kind
        ? `the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${error.message} (${summary(body)})`
        : `error decoding patch: ${error.message}`,
    );
  }
}

/** YAML, of which JSON is a part. @throws ApiError 400 */
export function decodeYaml(body: Buffer, strict = false): Decoded {
  const text = body.toString('utf8');
  if (/^\s*\{/.test(text)) {
    try {
      return decodeJson(body);
    } catch {
      // Flow style looks like JSON; what is neither is told below.
    }
  }
  const document = parseDocument(text, { uniqueKeys: false, version: '1.1' });
  const [error] = document.errors;
  if (error) {
    throw badRequest(`error decoding YAML: error converting YAML to JSON: yaml: ${firstLine(error.message)}`);
  }
  if (strict) {
    const [twice] = parseDocument(text, { uniqueKeys: true, version: '1.1' }).errors;
    if (twice) {
      throw badRequest(
        `error strict decoding YAML: error converting YAML to JSON: yaml: ${firstLine(twice.message)}`,
      );
    }
  }
  return { value: document.toJS() as unknown, problems: [] };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}

/** The beginning of a body, as the real server quotes what it can't read. */
function summary(body: Buffer): string {
  if (body.length === 0) return '<empty>';
  const text = body[0] === 0x7b ? 'utf8' : 'hex';
  return body.length > 30 ? `${body.subarray(0, 30).toString(text)} ...` : body.toString(text);
}

/** The body as an object of the requested resource. @throws ApiError 400 or 422 where it is of another. */
export function asObject(value: unknown, request: Request, body: Buffer): KubeObject {
  const { resource, version } = request;
  const { kind } = resource;
  if (!isObj(value)) throw badRequest(`the body of the request is no object of kind ${kind}`);
  const object: Obj = value;
  const group = apiVersion(resource.group, version.name);
  if (!resource.custom) {
    // Built-in kinds are known by where they are sent.
    object['apiVersion'] ||= group;
    object['kind'] ||= kind;
  } else if (!object['kind'] || !object['apiVersion']) {
    const json = JSON.stringify(object);
    throw badRequest(
      object['kind']
        ? `${kind} in version "${version.name}" cannot be handled as a ${kind}: Object 'apiVersion' is missing in '${json}'`
        : `the object provided is unrecognized (must be of type ${kind}): Object 'Kind' is missing in '${json}' (${summary(body)})`,
    );
  }
  const problem = metadataTypeProblem(object['metadata']);
  if (problem) {
    throw badRequest(`${kind} in version "${version.name}" cannot be handled as a ${kind}: ${problem}`);
  }
  if (!isObj(object['metadata'])) object['metadata'] = {};
  const metadata = object['metadata'] as Obj;
  if (object['apiVersion'] !== group && (!resource.custom || object['kind'] === kind)) {
    throw badRequest(
      resource.custom
        ? `the API version in the data (${String(object['apiVersion'])}) does not match the expected API version (${group})`
        : `${kind} in version "${version.name}" cannot be handled as a ${kind}: no kind "${String(object['kind'])}" is registered for version "${String(object['apiVersion'])}"`,
    );
  }
  if (object['kind'] !== kind) {
    throw invalid({ group: resource.group, resource: String(object['kind']) }, show(metadata['name'] ?? ''), [
      {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${JSON.stringify(object['kind'])}: must be ${kind}`,
        field: 'kind',
      },
    ]);
  }
  const namespace = metadata['namespace'];
  if (resource.namespaced && namespace && namespace !== request.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (request.name && metadata['name'] && metadata['name'] !== request.name) {
    throw badRequest(
      `the name of the object (${show(metadata['name'])}) does not match the name on the URL (${request.name})`,
    );
  }
  if (request.name && !metadata['name']) {
    throw badRequest(
      `the name of the object (${request.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  return object as KubeObject;
}
