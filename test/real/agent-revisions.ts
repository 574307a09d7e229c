/** Builds of the agent, good and bad ones, served to hosts, and their revisions after the committed example. */
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileServer } from '@kubenode/lab';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from '../../demo/src/manifests.ts';
import { buildAgent } from '../../packages/agent/build/sea.ts';

export const agentExample = join(import.meta.dirname, '../../examples/agent/kubenode-agent.yaml');

export interface AgentRevision {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly manifest: Manifest;
}

interface ExampleSpec extends Record<string, unknown> {
  artifacts: { file: { url: string; digest: string } }[];
}

/** Serves a build of the agent that says it is this version, for a revision that says so too (or `claims` another). */
export async function goodAgent(
  files: FileServer,
  version: string,
  claims = version,
): Promise<AgentRevision> {
  const agent = await buildAgent({ version });
  const name = `agent-${version}`;
  await copyFile(agent.path, join(files.dir, name));
  return await revision(claims, name, agent.digest);
}

/** Serves a shell script in the agent's place; `progressDeadline` is the revision's. */
export async function scriptAgent(
  files: FileServer,
  version: string,
  script: string,
  progressDeadline?: string,
): Promise<AgentRevision> {
  const name = `agent-${version}`;
  return await revision(version, name, await files.put(name, script), progressDeadline);
}

async function revision(
  version: string,
  file: string,
  digest: string,
  // A deadline in which a good agent is up ten times over.
  progressDeadline = '20s',
): Promise<AgentRevision> {
  const documents = parseAllDocuments(await readFile(agentExample, 'utf8'));
  const [component] = documents.map((document) => document.toJS() as Manifest);
  if (component === undefined) throw new Error(`${agentExample} is empty`);
  const spec = structuredClone(component.spec) as ExampleSpec;
  for (const artifact of spec.artifacts) {
    artifact.file.url = `http://artifacts.lab/${file}`;
    artifact.file.digest = digest;
  }
  const name = `kubenode-agent-${version}`;
  const manifest = { ...component, metadata: { name }, spec: { ...spec, version, progressDeadline } };
  return { name, version, digest, manifest };
}
