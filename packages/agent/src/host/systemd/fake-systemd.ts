import { mkdtemp, rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

import type { Message } from './message.ts';
import { encodeAnswer, messageType, takeMessages } from './message.ts';
import type { DBusValue } from './signature.ts';

/** What the fake answers: a body with its signature, an error, or nothing at all. */
export type Answer =
  | { readonly signature: string; readonly body: readonly DBusValue[] }
  | { readonly error: string; readonly message: string }
  | 'silence';

const manager = { path: '/org/freedesktop/systemd1', interface: 'org.freedesktop.systemd1.Manager' };

/** systemd's end of its private socket, answering as a test says. */
export class FakeSystemd {
  readonly socket: string;
  /** Members called, in order. */
  readonly calls: string[] = [];
  answer: (member: string, body: readonly DBusValue[], message: Message) => Answer | undefined = () =>
    undefined;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  #serial = 0;

  private constructor(socket: string) {
    this.socket = socket;
    this.#server = createServer((client) => this.#serve(client));
  }

  static async start(t: TestContext): Promise<FakeSystemd> {
    const folder = await mkdtemp(path.join(os.tmpdir(), 'kn-dbus-'));
    const fake = new FakeSystemd(path.join(folder, 'private'));
    await fake.listen();
    t.after(async () => {
      fake.closeAll();
      fake.#server.close();
      await rm(folder, { recursive: true, force: true });
    });
    return fake;
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.socket, resolve));
  }

  /** What daemon-reexec does to whoever is connected. */
  closeAll(): void {
    for (const client of this.#clients) client.destroy();
  }

  /** Refuses connections until listen(). */
  async stopListening(): Promise<void> {
    this.closeAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  signal(member: string, signature: string, body: readonly DBusValue[], from = manager): void {
    for (const client of this.#clients) {
      this.#serial += 1;
      client.write(encodeAnswer(messageType.signal, this.#serial, { ...from, member }, signature, body));
    }
  }

  #serve(client: Socket): void {
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    client.on('error', () => undefined);
    let received: Buffer = Buffer.alloc(0);
    let open = false;
    client.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (!open) {
        if (received.includes('AUTH EXTERNAL')) client.write('OK 0123456789abcdef\r\n');
        const begin = received.indexOf('BEGIN\r\n');
        received = begin < 0 ? Buffer.alloc(0) : received.subarray(begin + 7);
        open = begin >= 0;
      }
      if (!open) return;
      const { messages, rest } = takeMessages(received);
      received = rest;
      for (const message of messages) this.#reply(client, message);
    });
  }

  #reply(client: Socket, message: Message): void {
    this.calls.push(message.member);
    const answer = this.answer(message.member, message.body(), message) ?? { signature: '', body: [] };
    if (answer === 'silence') return;
    this.#serial += 1;
    const head = { replySerial: message.serial };
    if ('error' in answer) {
      const error = { ...head, errorName: `org.freedesktop.systemd1.${answer.error}` };
      client.write(encodeAnswer(messageType.error, this.#serial, error, 's', [answer.message]));
    } else {
      client.write(encodeAnswer(messageType.reply, this.#serial, head, answer.signature, answer.body));
    }
  }
}
