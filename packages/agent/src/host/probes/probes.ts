import type { RequestOptions } from 'node:http';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';

import type { ProbeRequest, ProbeRunner, ServiceManager } from '../../ports.ts';

/** What the kubelet keeps of a probe's answer, and as much as a status message needs. */
const maxBody = 1024;
/** An answer is read to its end, so that the server sees no broken connection; a metrics page is some 100 KB, an endless one is cut here. */
const maxRead = 1024 * 1024;
const localhost = '127.0.0.1';

type Outcome = Awaited<ReturnType<ProbeRunner['run']>>;

/** Probes as the kubelet's: the status of a command, of an HTTP answer (200 to 399), or that a port takes a connection. */
export class HostProbes implements ProbeRunner {
  readonly #services: Pick<ServiceManager, 'run'>;

  constructor(services: Pick<ServiceManager, 'run'>) {
    this.#services = services;
  }

  async run(probe: ProbeRequest): Promise<Outcome> {
    if (probe.exec !== undefined) return await this.#exec(probe.exec.command, probe.timeoutMs);
    if (probe.httpGet !== undefined) return await httpGet(probe.httpGet, probe.timeoutMs);
    if (probe.tcpSocket !== undefined) return await tcpSocket(probe.tcpSocket, probe.timeoutMs);
    return { ok: false, message: 'the probe names none of exec, httpGet, tcpSocket' };
  }

  async #exec(command: readonly string[], timeoutMs: number): Promise<Outcome> {
    const { exitCode, timedOut, output } = await this.#services.run({
      command,
      timeoutMs,
      isolation: 'plain',
    });
    const name = command[0] ?? '';
    if (timedOut) return { ok: false, message: `${name} did not end within ${timeoutMs / 1000} s` };
    if (exitCode === 0) return { ok: true, message: output.trim() };
    return { ok: false, message: `${name} exited with ${exitCode}: ${output.trim()}` };
  }
}

async function httpGet(probe: NonNullable<ProbeRequest['httpGet']>, timeoutMs: number): Promise<Outcome> {
  const secure = probe.scheme === 'HTTPS';
  const path = probe.path ?? '/';
  const address = `${secure ? 'https' : 'http'}://${probe.host ?? localhost}:${probe.port}${path}`;
  // As the kubelet does: a probe asks for health, not for identity; certificates of such ports are mostly self-signed.
  const start = secure ? (await import('node:https')).request : httpRequest;
  const options: RequestOptions & { rejectUnauthorized?: boolean } = {
    host: probe.host ?? localhost,
    port: probe.port,
    path,
    agent: false,
    headers: { 'user-agent': 'kubenode-probe', connection: 'close' },
    ...(secure ? { rejectUnauthorized: false } : {}),
  };
  return await new Promise<Outcome>((resolve) => {
    const request = start(options);
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      request.destroy();
      resolve(outcome);
    };
    request.on('error', (error) => end({ ok: false, message: `${address}: ${error.message}` }));
    request.on('response', (response) => {
      const status = response.statusCode ?? 0;
      const ok = status >= 200 && status < 400;
      let body = '';
      let read = 0;
      response.on('error', () => end({ ok, message: `${address} answered ${status}` }));
      response.on('data', (chunk: Buffer) => {
        if (body.length < maxBody) body += chunk.toString('utf8', 0, maxBody);
        read += chunk.length;
        if (read >= maxRead) end({ ok, message: summary(address, status, body) });
      });
      response.on('end', () => end({ ok, message: summary(address, status, body) }));
    });
    request.end();
  });
}

function summary(address: string, status: number, body: string): string {
  const said = body.slice(0, maxBody).trim();
  return `${address} answered ${status}${said === '' ? '' : `: ${said}`}`;
}

async function tcpSocket(probe: NonNullable<ProbeRequest['tcpSocket']>, timeoutMs: number): Promise<Outcome> {
  const host = probe.host ?? localhost;
  const where = `${host}:${probe.port}`;
  return await new Promise<Outcome>((resolve) => {
    const socket = connect({ host, port: probe.port });
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    const timer = setTimeout(
      () => end({ ok: false, message: `${where}: no connection within ${timeoutMs / 1000} s` }),
      timeoutMs,
    );
    socket.on('connect', () => end({ ok: true, message: `${where} takes connections` }));
    socket.on('error', (error) => end({ ok: false, message: `${where}: ${error.message}` }));
  });
}
