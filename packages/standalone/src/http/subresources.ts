import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ISSUER } from '../authn/tokens.ts';
import {
  at,
  child,
  isObj,
  list,
  strings,
  text,
  time,
  type KubeObject,
  type Obj,
  type ObjectMeta,
} from '../object.ts';
import { firstFields } from '../kinds/virtual.ts';
import { badValue, required } from '../registry/metadata.ts';
import type { Request } from '../registry/request.ts';
import { decode, readBody } from './body.ts';
import { evict } from './eviction.ts';
import type { Parts } from './parts.ts';
import { sendJson } from './respond.ts';
import { badRequest, conflict, invalid, MODIFIED } from './status.ts';

/** Subresources that are no view of the object: token, binding, eviction. False for the others. */
export async function serveSpecial(
  parts: Parts,
  request: Request,
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<boolean> {
  const action = ACTIONS[`${request.resource.id}/${request.subresource}`];
  if (!action || request.verb !== 'create') return false;
  const body = await readBody(incoming);
  const { value } = decode(body, incoming.headers['content-type']);
  const answer = await action(parts, request, isObj(value) ? value : {});
  sendJson(response, 201, answer);
  return true;
}

const ACTIONS: Record<string, (parts: Parts, request: Request, body: Obj) => Promise<Obj>> = {
  'serviceaccounts/token': token,
  'pods/binding': bind,
  'pods/eviction': evict,
};

const SUCCESS = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' };

async function token(parts: Parts, request: Request, body: Obj): Promise<Obj> {
  const account = parts.registry.get(request);
  const spec = child(body, 'spec');
  const audiences = strings(spec, 'audiences');
  const seconds = spec['expirationSeconds'] ?? 3600;
  if (typeof seconds !== 'number' || seconds < 600) {
    throw invalid({ group: 'authentication.k8s.io', resource: 'TokenRequest' }, '', [
      badValue('spec.expirationSeconds', seconds, 'may not specify a duration less than 10 minutes'),
    ]);
  }
  const reference = child(spec, 'boundObjectRef');
  const bound = boundTo(parts, request, reference);
  const issued = parts.tokens.issue({
    account,
    audiences: audiences.length > 0 ? audiences : [ISSUER],
    expirationSeconds: seconds,
    bound,
    now: request.now,
  });
  const kind = { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' };
  const sent = {
    ...body,
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: {} as ObjectMeta,
  };
  const managedFields = firstFields(kind, sent, request.fieldManager, request.now, 'token');
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {
      uid: randomUUID(),
      ...(managedFields.length > 0 ? { managedFields } : {}),
      name: account.metadata.name,
      namespace: account.metadata.namespace,
      creationTimestamp: time(request.now),
    },
    spec: {
      audiences: audiences.length > 0 ? audiences : [ISSUER],
      expirationSeconds: seconds,
      boundObjectRef: bound ? { ...reference, uid: bound.uid } : null,
    },
    status: { token: issued.token, expirationTimestamp: time(issued.expires) },
  };
}

function boundTo(
  parts: Parts,
  request: Request,
  reference: Obj,
): { kind: string; name: string; uid: string } | undefined {
  const kind = text(reference, 'kind');
  if (!kind) return undefined;
  const name = text(reference, 'name') ?? '';
  const resource = kind === 'Pod' ? 'pods' : kind === 'Secret' ? 'secrets' : undefined;
  if (!resource)
    throw badRequest(`cannot bind token for serviceaccount "${request.name}" to object type ${kind}`);
  const object = parts.store.read(resource, request.namespace, name);
  const uid = text(reference, 'uid');
  if (!object?.metadata.uid || (uid && uid !== object.metadata.uid)) {
    throw conflict(
      { group: '', resource },
      name,
      `the UID in the bound object reference (${uid ?? ''}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  }
  return { kind, name, uid: object.metadata.uid };
}

async function bind(parts: Parts, request: Request, body: Obj): Promise<Obj> {
  const node = text(body, 'target', 'name');
  if (!node) throw invalid({ group: '', resource: 'Binding' }, request.name, [required('target.name')]);
  await parts.registry.modify({ ...request, subresource: '' }, (pod) => {
    const held = text(pod, 'spec', 'nodeName');
    if (held) {
      throw conflict(
        { group: '', resource: 'pods/binding' },
        request.name,
        `pod ${request.name} is already assigned to node "${held}"`,
      );
    }
    return { ...pod, spec: { ...child(pod, 'spec'), nodeName: node } };
  });
  return SUCCESS;
}

/** The `autoscaling/v1` Scale of an object. */
export function scaleOf(object: KubeObject, request: Request): Obj {
  const { metadata } = object;
  const paths = request.version.scale;
  const selector = paths?.selector ? at(object, ...paths.selector) : undefined;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name: metadata.name,
      ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      creationTimestamp: metadata.creationTimestamp,
    },
    spec: { replicas: number(at(object, ...(paths?.spec ?? []))) },
    status: {
      replicas: number(at(object, ...(paths?.status ?? []))),
      ...(typeof selector === 'string' ? { selector } : {}),
    },
  };
}

/** The object with the replicas that the Scale asks for. */
export function setScale(live: KubeObject, scale: unknown, request: Request): KubeObject {
  const given = text(scale, 'metadata', 'resourceVersion');
  if (given && given !== live.metadata.resourceVersion) {
    throw conflict(
      { group: request.resource.group, resource: request.resource.plural },
      request.name,
      MODIFIED,
    );
  }
  const replicas = at(scale, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || replicas < 0) {
    throw invalid({ group: 'autoscaling', resource: 'Scale' }, request.name, [
      badValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const path = request.version.scale?.spec ?? [];
  let here: Obj = live;
  for (const key of path.slice(0, -1)) {
    const next = isObj(here[key]) ? here[key] : {};
    here[key] = next;
    here = next;
  }
  const last = path.at(-1);
  if (last !== undefined) here[last] = replicas;
  return live;
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : list(value).length;
}
