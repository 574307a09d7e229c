/** Sends the steps of a conversation to one server. */
import { Agent, request } from 'node:https';
import type { Answer, Answers, Conversation, Step } from './conversation.ts';

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly ca: string | Buffer;
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
}

const stepTimeoutMs = 15_000;
const untilTimeoutMs = 10_000;

/** Has the whole conversation; the result has an answer for each step, in order. */
export async function converse(server: Server, conversation: Conversation): Promise<Map<string, Answer>> {
  const link = connect(server);
  const answers: Record<string, Answer> = {};
  try {
    for (const step of conversation.steps) answers[step.name] = await settle(link, step, answers);
  } finally {
    link.close();
  }
  return new Map(Object.entries(answers));
}

/** Connections to a server. */
export interface Link {
  /** The server's name, for messages. */
  readonly name: string;
  send(step: Step, answers?: Answers): Promise<Answer>;
  close(): void;
}

/** Connects to a server as its administrator. */
export function connect(server: Server): Link {
  const agent = new Agent({ keepAlive: true, ca: server.ca, cert: server.cert, key: server.key });
  return {
    name: server.name,
    send: (step, answers = {}) => send(server, agent, step, answers),
    close: () => agent.destroy(),
  };
}

/** Sends a step, again and again until its answer is the one that is waited for. */
export async function settle(link: Link, step: Step, answers: Answers = {}): Promise<Answer> {
  const deadline = Date.now() + untilTimeoutMs;
  for (;;) {
    const answer = await link.send(step, answers);
    if (!step.until || step.until(answer) || Date.now() > deadline) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function send(server: Server, agent: Agent, step: Step, answers: Answers): Promise<Answer> {
  const path = typeof step.path === 'function' ? step.path(answers) : step.path;
  const body = typeof step.body === 'function' ? step.body(answers) : step.body;
  const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const req = request(
      new URL(path, server.url),
      {
        agent,
        method: step.method ?? 'GET',
        headers: {
          accept: step.accept ?? 'application/json',
          'user-agent': 'differential/1',
          ...(payload !== undefined && {
            'content-type': step.type ?? 'application/json',
            'content-length': Buffer.byteLength(payload),
          }),
          ...(step.as && {
            'impersonate-user': step.as.user,
            ...(step.as.groups && { 'impersonate-group': [...step.as.groups] }),
          }),
        },
      },
      (res) => {
        let text = '';
        let events = 0;
        const finish = () => {
          clearTimeout(timer);
          resolve({
            status: res.statusCode ?? 0,
            warnings: res.headers.warning ?? '',
            body: parse(text, step.events !== undefined && res.statusCode === 200),
          });
        };
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => {
          text += chunk;
          if (step.events === undefined) return;
          events = text.split('\n').length - 1;
          if (events >= step.events) {
            finish();
            req.destroy();
          }
        });
        res.on('end', finish);
      },
    );
    const timer = setTimeout(
      () =>
        req.destroy(
          new Error(`${server.name}: no whole answer to "${step.name}" (${path}) in ${stepTimeoutMs} ms`),
        ),
      stepTimeoutMs,
    );
    req.on('error', reject);
    req.end(payload);
  });
}

function parse(text: string, stream: boolean): unknown {
  if (stream)
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as unknown);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text.trim();
  }
}
