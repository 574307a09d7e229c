import { readFile } from 'node:fs/promises';
import { jsonLogger, systemClock } from '@kubenode/runtime';
import { Agent } from '../agent.ts';
import type { EventSink } from '../events.ts';
import { type AgentConfig, readConfig } from '../config.ts';
import { stayConnected } from '../connect/connect.ts';
import { StatusLine } from '../connect/status-line.ts';
import { DesiredStore } from '../desired/desired.ts';
import { runCommand } from '../host/command.ts';
import { createHost } from '../host/index.ts';
import { stayAlive } from '../host/systemd/alive.ts';
import type { AgentLogger } from '../log.ts';
import { Reporter } from '../report/reporter.ts';
import { agentVersion } from '../version.ts';
import { beginLeaving, isLeaving, leaveHost } from './leave.ts';

/** Events that are kept until there is a connection. */
const mostEarly = 20;

/** Runs the agent until the signal, or until it is told to leave the host. Components go on running when it ends. */
export async function run(configPath: string, ended: AbortSignal): Promise<void> {
  const config = await readConfig(configPath);
  const clock = systemClock;
  const log = jsonLogger({ fields: { machine: config.machine } });
  const host = await createHost({
    root: config.root,
    stateDir: config.stateDir,
    ...(config.sources === undefined ? {} : { sourcesFile: config.sources }),
    log: (message) => log.info(message),
  });
  try {
    log.info('the agent starts', { version: agentVersion, root: config.root, services: host.services.kind });
    if (await isLeaving(host.files, config)) return await leaveHost(host, config);
    const left = new AbortController();
    const signal = AbortSignal.any([ended, left.signal]);
    const store = new DesiredStore(host.files, config.stateDir, log);
    const known = await store.read();
    const statusLine = new StatusLine(config.machine);
    const reporter = new Reporter({
      files: host.files,
      stateFolder: config.stateDir,
      clock,
      log,
      agentVersion,
      write: (status, stop) => statusLine.write(status, stop),
    });
    await reporter.load();
    // What happens before there is a connection is told when there is one.
    const early: Parameters<EventSink>[] = [];
    let sink: EventSink = (...event) => {
      if (early.length < mostEarly) early.push(event);
    };
    const agent = new Agent({
      host,
      stateFolder: config.stateDir,
      clock,
      log,
      event: (...event) => sink(...event),
      publish: (view) => reporter.offer(view),
      telling: {
        get isOnline() {
          return reporter.isOnline;
        },
        confirm: () => reporter.confirm(),
        ...(config.server !== undefined && { isCutOff: (stop) => statusLine.isCutOff(stop) }),
      },
    });
    agent.setDesired(known);
    let leaving: Promise<void> | undefined;
    const leave = async (): Promise<void> => {
      log.info('the Machine is deleted and its components are removed: the agent leaves the host');
      await beginLeaving(host.files, config);
      await reporter.tellLeft(signal);
      left.abort(new Error('the agent leaves the host'));
    };
    const connection = config.server === undefined ? undefined : await connectionOf(config, config.server);
    await Promise.all([
      agent.run(signal),
      reporter.run(signal),
      config.root === '' &&
        stayAlive(
          {
            env: process.env,
            run: (request) => runCommand('', request),
            clock,
            warn: (message, fields) => log.warn(message, fields),
          },
          signal,
        ),
      connection &&
        stayConnected(
          {
            agent,
            reporter,
            statusLine,
            store,
            known,
            clock,
            log,
            connection,
            files: host.files,
            machine: config.machine,
            token: () => readToken(config, log),
            ...(config.labels === undefined ? {} : { labels: config.labels }),
            ...(config.nodeName === undefined ? {} : { nodeName: config.nodeName }),
            events: (next) => {
              sink = next;
              for (const event of early.splice(0)) next(...event);
            },
            leave: () => {
              leaving ??= leave().catch((error: unknown) => {
                leaving = undefined;
                if (!signal.aborted) log.error('the agent could not leave', { error: String(error) });
              });
            },
          },
          signal,
        ),
    ]);
    await leaving;
    if (left.signal.aborted) await leaveHost(host, config);
    else log.info('the agent ends; components go on running');
  } finally {
    await host.close();
  }
}

async function connectionOf(config: AgentConfig, server: string): Promise<{ server: string; ca?: string }> {
  const ca = config.caFile === undefined ? undefined : await readHostFile(config, config.caFile);
  if (config.caFile !== undefined && ca === undefined)
    throw new Error(`caFile ${config.caFile} does not exist: import or join the host again`);
  return { server, ...(ca === undefined ? {} : { ca }) };
}

async function readToken(config: AgentConfig, log: AgentLogger): Promise<string | undefined> {
  if (config.bootstrapTokenFile === undefined) return undefined;
  const token = (await readHostFile(config, config.bootstrapTokenFile))?.trim();
  if (token === undefined || token === '')
    log.warn('there is no join token', { file: config.bootstrapTokenFile });
  return token === '' ? undefined : token;
}

/** A file of the host by its host path; on a local host also one outside its folder, which its maker may have named as it stands. */
async function readHostFile({ root }: AgentConfig, path: string): Promise<string | undefined> {
  for (const candidate of root === '' ? [path] : [`${root}${path}`, path]) {
    try {
      return await readFile(candidate, 'utf8');
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  return undefined;
}
