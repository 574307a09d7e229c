import type { Socket } from 'node:net';
import { connect } from 'node:net';

import type { Call, Message } from './message.ts';
import { encodeCall, messageType, takeMessages, text } from './message.ts';
import type { DBusValue } from './signature.ts';

/** An answer of the peer that says no. `errorName` is D-Bus's, such as org.freedesktop.systemd1.NoSuchUnit. */
export class DBusError extends Error {
  override readonly name = 'DBusError';
  readonly errorName: string;

  constructor(errorName: string, message: string) {
    super(message === '' ? errorName : message);
    this.errorName = errorName;
  }
}

/** The connection is gone, so nobody knows whether the call was done: look, then call again. */
export class DisconnectedError extends Error {
  override readonly name = 'DisconnectedError';
}

export interface ConnectionOptions {
  /** Path of the socket. */
  readonly socket: string;
  /** True: systemd itself is at the other end. False: a message bus is. */
  readonly direct: boolean;
  readonly onSignal: (message: Message) => void;
  readonly onClose: () => void;
}

/** How long the peer may take to answer hello. systemd on a busy host answers within milliseconds. */
export const handshakeMs = 5_000;
/** systemd answers within milliseconds; a daemon-reload of a host with thousands of units was seen to take 10 s. */
const callTimeoutMs = 60_000;

/** One connection to a D-Bus peer; when it is closed, it is not opened again. */
export class Connection {
  readonly direct: boolean;
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #waiting = new Map<number, WaitingCall>();
  #serial = 0;
  #received: Buffer = Buffer.alloc(0);
  #closed = false;

  private constructor(socket: Socket, options: ConnectionOptions) {
    this.direct = options.direct;
    this.#socket = socket;
    this.#options = options;
  }

  /** Connects and authenticates as this process's user. Rejects with the system's error, or DisconnectedError. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const socket = connect(options.socket);
    const early = await authenticate(socket, options.socket);
    const connection = new Connection(socket, options);
    connection.#listen(early);
    if (!options.direct) {
      const bus = 'org.freedesktop.DBus';
      await connection.call({
        destination: bus,
        path: '/org/freedesktop/DBus',
        interface: bus,
        member: 'Hello',
      });
    }
    return connection;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Calls a method. Rejects with DBusError (the peer's no), DisconnectedError (no answer in time, too), or MarshalError (our mistake). */
  call(call: Call, timeoutMs = callTimeoutMs): Promise<readonly DBusValue[]> {
    if (this.#closed) return Promise.reject(new DisconnectedError(`${this.#options.socket} is closed`));
    this.#serial = (this.#serial % 0xffff_ffff) + 1;
    const serial = this.#serial;
    const { destination, ...direct } = call;
    const bytes = encodeCall(this.direct || destination === undefined ? direct : call, serial);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#forget(serial);
        reject(
          new DisconnectedError(
            `${this.#options.socket} did not answer ${call.member} within ${timeoutMs / 1000} s`,
          ),
        );
        // It may be this connection alone that is stuck: the next call opens another.
        this.#socket.destroy();
      }, timeoutMs);
      this.#waiting.set(serial, { resolve, reject, timer });
      this.#socket.ref();
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #listen(early: Buffer): void {
    this.#socket.removeAllListeners();
    this.#socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      this.#closed = true;
      for (const call of this.#waiting.values()) {
        clearTimeout(call.timer);
        call.reject(new DisconnectedError(`${this.#options.socket} was closed`));
      }
      this.#waiting.clear();
      this.#options.onClose();
    });
    this.#socket.unref();
    if (early.length > 0) this.#take(early);
  }

  #take(chunk: Buffer): void {
    const all = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    try {
      const { messages, rest } = takeMessages(all);
      // A copy, so that a few left-over bytes do not keep a large chunk alive.
      this.#received = Buffer.from(rest);
      for (const message of messages) this.#handle(message);
    } catch {
      // A stream that cannot be read any further; reconnecting starts a new one.
      this.#socket.destroy();
    }
  }

  #handle(message: Message): void {
    if (message.type === messageType.signal) return this.#options.onSignal(message);
    if (message.type !== messageType.reply && message.type !== messageType.error) return;
    const call = this.#waiting.get(message.replySerial);
    this.#forget(message.replySerial);
    if (call === undefined) return;
    if (message.type === messageType.reply) call.resolve(message.body());
    else call.reject(new DBusError(message.errorName, text(message.body()[0])));
  }

  #forget(serial: number): void {
    clearTimeout(this.#waiting.get(serial)?.timer);
    this.#waiting.delete(serial);
    // Signals alone keep no process alive, an answer that is waited for does.
    if (this.#waiting.size === 0) this.#socket.unref();
  }
}

interface WaitingCall {
  readonly resolve: (body: readonly DBusValue[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** SASL EXTERNAL: the kernel tells the peer who we are. Resolves with bytes that came after the handshake. */
async function authenticate(socket: Socket, name: string): Promise<Buffer> {
  const user = Buffer.from(String(process.geteuid?.() ?? 0)).toString('hex');
  return await new Promise<Buffer>((resolve, reject) => {
    let answer = '';
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new DisconnectedError(`${name} does not answer`)), handshakeMs);
    socket.on('error', fail);
    socket.on('close', () =>
      fail(new DisconnectedError(`${name} closed the connection while authenticating`)),
    );
    // All at once, as systemd's own client does: systemd never looks at a call that it reads together with a later BEGIN
    // (on systemd 252 a BEGIN and a call in one write hung 20 times of 20).
    socket.on('connect', () => socket.write(`\0AUTH EXTERNAL ${user}\r\nBEGIN\r\n`));
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
      const end = answer.indexOf('\r\n');
      if (end < 0) return;
      if (!answer.startsWith('OK '))
        return fail(new DisconnectedError(`${name} refused us: ${answer.slice(0, end)}`));
      clearTimeout(timer);
      resolve(Buffer.from(answer.slice(end + 2), 'latin1'));
    });
  });
}
