import { agentLeft, machineLabel, machineLabelsAnnotation, nodeNameAnnotation } from '@kubenode/api';
import {
  CertificateSigningRequest,
  type Client,
  type Clock,
  type Controller,
  controller,
  type EventRecorder,
  findCondition,
  isAlreadyExists,
  type Logger,
  refOf,
  type Registry,
  Secret,
  systemClock,
  timestamp,
} from '@kubenode/runtime';
import type { Caches } from '../caches.ts';
import { Machine } from '../kinds.ts';
import {
  clientSigner,
  type Decision,
  decide,
  type KnownMachine,
  machineAskedFor,
  type NewMachine,
  type Request,
  type Token,
  tokenOf,
} from './plan.ts';
import { readRequest, RequestError } from './request.ts';

export interface CertificateOptions {
  readonly client: Client;
  readonly caches: Pick<Caches, 'requests'>;
  readonly events: EventRecorder;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** @default systemClock */
  readonly clock?: Clock;
}

/** Grants or denies the requests of agents for their identity, and makes the Machine of a host that joins. */
export function certificateController(options: CertificateOptions): Controller {
  const { client, caches } = options;
  return controller({
    ...options,
    name: 'certificate',
    async reconcile(name, { signal, log }) {
      const pending = caches.requests.get(name);
      if (pending === undefined || pending.decided || pending.signerName !== clientSigner) return;
      // Read anew, all of it: a decision about an identity is not made from copies that may be old.
      const csr = await client.get(CertificateSigningRequest, name, { signal });
      if (csr === undefined || (csr.status?.conditions ?? []).length > 0) return;
      const request = requestOf(csr);
      const machine = machineAskedFor(request);
      if (machine === undefined) return;
      const decision = decide(
        request,
        await findToken(client, request, signal),
        await findMachine(client, machine, signal),
      );
      if (decision.kind === 'Ignore') return;
      if (decision.kind === 'Approve' && decision.create !== undefined) {
        await createMachine(client, decision.create, signal);
      }
      await tell(options, csr, decision, signal);
      log.info('certificate request decided', { machine, decision: decision.kind, reason: decision.reason });
    },
  }).for(caches.requests);
}

function requestOf({ metadata, spec }: CertificateSigningRequest): Request {
  let identity: Request['identity'];
  try {
    identity = readRequest(spec.request);
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    identity = error.message;
  }
  return {
    signerName: spec.signerName,
    username: spec.username ?? '',
    groups: spec.groups ?? [],
    usages: spec.usages ?? [],
    identity,
    labels: metadata.annotations?.[machineLabelsAnnotation],
    nodeName: metadata.annotations?.[nodeNameAnnotation],
  };
}

async function findToken(client: Client, request: Request, signal: AbortSignal): Promise<Token | undefined> {
  const id = tokenOf(request);
  if (id === undefined) return undefined;
  const secret = await client.get(
    Secret,
    { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    { signal },
  );
  return secret && { machine: secret.metadata.annotations?.[machineLabel] };
}

async function findMachine(
  client: Client,
  name: string,
  signal: AbortSignal,
): Promise<KnownMachine | undefined> {
  if (name === '') return undefined;
  const machine = await client.get(Machine, name, { signal });
  if (machine === undefined) return undefined;
  const agent = findCondition(machine.status?.conditions, 'AgentReady');
  return {
    hasAgent: agent !== undefined && agent.reason !== agentLeft,
    deleting: machine.metadata.deletionTimestamp !== undefined,
  };
}

async function createMachine(client: Client, machine: NewMachine, signal: AbortSignal): Promise<void> {
  const { name, labels, nodeName } = machine;
  try {
    await client.create(
      Machine,
      {
        metadata: { name, labels },
        spec: { deletionPolicy: 'Retain', paused: false, ...(nodeName === undefined ? {} : { nodeName }) },
      },
      { signal },
    );
  } catch (error) {
    // Somebody took the name in this moment: looked at anew, it may be his.
    if (isAlreadyExists(error))
      throw new Error(`Machine ${name} was made by somebody else meanwhile`, { cause: error });
    throw error;
  }
}

async function tell(
  { client, events, clock = systemClock }: CertificateOptions,
  csr: CertificateSigningRequest,
  decision: Exclude<Decision, { kind: 'Ignore' }>,
  signal: AbortSignal,
): Promise<void> {
  const isApproved = decision.kind === 'Approve';
  const message = isApproved ? 'The identity of an agent, for the machine that it is on.' : decision.message;
  const condition = {
    type: isApproved ? 'Approved' : 'Denied',
    status: 'True' as const,
    reason: `KubeNode${decision.reason}`,
    message,
    lastUpdateTime: timestamp(clock.now()),
    lastTransitionTime: timestamp(clock.now()),
  };
  await client.update(
    CertificateSigningRequest,
    { ...csr, status: { ...csr.status, conditions: [condition] } },
    { subresource: 'approval', signal },
  );
  if (!isApproved) events.event(refOf(CertificateSigningRequest, csr), 'Warning', decision.reason, message);
}
