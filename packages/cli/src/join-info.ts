import { systemNamespace } from '@kubenode/api';
import type { AgentBinary } from '@kubenode/machine';
import { type Client, ConfigMap } from '@kubenode/runtime';

/** What a host needs to know to join: written by the operator at its start, read by `kubenode token create`. Nothing secret. */
export interface JoinInfo {
  /** The API server as hosts reach it. */
  readonly server: string;
  /** PEM of the authority of its certificate. */
  readonly ca: string;
  /** By architecture in Go's words. */
  readonly agents: Readonly<Record<string, AgentBinary>>;
}

const name = 'kubenode-join';

export async function publishJoinInfo(client: Client, info: JoinInfo, signal: AbortSignal): Promise<void> {
  const agents = Object.entries(info.agents).map(([arch, { url, digest }]) => [
    `agent-${arch}`,
    `${url}@${digest}`,
  ]);
  await client.apply(
    ConfigMap,
    {
      metadata: { namespace: systemNamespace, name },
      data: { server: info.server, 'ca.crt': info.ca, ...Object.fromEntries(agents) },
    },
    { fieldManager: 'kubenode-operator', force: true, signal },
  );
}

/** undefined where no operator has written it yet. */
export async function readJoinInfo(client: Client, signal: AbortSignal): Promise<JoinInfo | undefined> {
  const found = await client.get(ConfigMap, { namespace: systemNamespace, name }, { signal });
  const { server, 'ca.crt': ca, ...rest } = found?.data ?? {};
  if (server === undefined || ca === undefined) return undefined;
  const agents = Object.entries(rest).flatMap(([key, value]) => {
    const arch = /^agent-(\w+)$/.exec(key)?.[1];
    const binary = parseAgent(value);
    return arch === undefined || binary === undefined ? [] : [[arch, binary] as const];
  });
  return { server, ca, agents: Object.fromEntries(agents) };
}

/** `URL@sha256:HEX`; undefined where it is something else. */
export function parseAgent(text: string): AgentBinary | undefined {
  const match = /^(https?:\/\/.+)@(sha256:[0-9a-f]{64})$/.exec(text);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { url: match[1], digest: match[2] };
}
