import { Connection, DisconnectedError, handshakeMs } from './connection.ts';
import type { Message } from './message.ts';
import type { DBusValue } from './signature.ts';
import { Variant } from './signature.ts';

const systemd = 'org.freedesktop.systemd1';
const managerPath = '/org/freedesktop/systemd1';
const reconnectFirstMs = 50;
const reconnectMaxMs = 5_000;

export interface SocketAddress {
  readonly path: string;
  readonly direct: boolean;
}
/** systemd's own socket needs no dbus-daemon and sends all signals; the system bus is there where that one is closed to us. */
export const defaultSockets: readonly SocketAddress[] = [
  { path: '/run/systemd/private', direct: true },
  { path: '/run/dbus/system_bus_socket', direct: false },
];

/** systemd over D-Bus, connected when first needed, and again when the connection breaks (daemon-reexec closes it). */
export class SystemdBus {
  readonly #sockets: readonly SocketAddress[];
  readonly #log: (message: string) => void;
  readonly #signalListeners = new Set<(message: Message) => void>();
  readonly #reconnectListeners = new Set<() => void>();
  #connection: Connection | undefined;
  #opening: Promise<Connection> | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #closed = new AbortController();

  constructor(
    options: { readonly sockets?: readonly SocketAddress[]; readonly log?: (message: string) => void } = {},
  ) {
    this.#sockets = options.sockets ?? defaultSockets;
    this.#log = options.log ?? (() => undefined);
  }

  /** Rejects with DisconnectedError where no socket takes us. */
  async connect(): Promise<void> {
    await this.#connected();
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#retry);
    this.#connection?.close();
  }

  /** Aborted when `close` is called. */
  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  /** A method of org.freedesktop.systemd1.Manager. */
  async manager(
    member: string,
    signature = '',
    body: readonly DBusValue[] = [],
  ): Promise<readonly DBusValue[]> {
    return await this.#call({ path: managerPath, interface: `${systemd}.Manager`, member, signature, body });
  }

  /** One property of a unit; `kind` is the interface's last name: Unit, Service. */
  async property(unit: string, kind: 'Unit' | 'Service', name: string): Promise<DBusValue> {
    const [value] = await this.#call({
      path: unitPath(unit),
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      signature: 'ss',
      body: [`${systemd}.${kind}`, name],
    });
    return value instanceof Variant ? value.value : '';
  }

  onSignal(listener: (message: Message) => void): Disposable {
    this.#signalListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#signalListeners.delete(listener) };
  }

  /** Called after every connection but the first: signals were missed, so everything must be looked at again. */
  onReconnect(listener: () => void): Disposable {
    this.#reconnectListeners.add(listener);
    return { [Symbol.dispose]: () => void this.#reconnectListeners.delete(listener) };
  }

  async #call(call: {
    readonly path: string;
    readonly interface: string;
    readonly member: string;
    readonly signature: string;
    readonly body: readonly DBusValue[];
  }): Promise<readonly DBusValue[]> {
    const connection = await this.#connected();
    return await connection.call({ ...call, destination: systemd });
  }

  #connected(): Promise<Connection> {
    if (this.#connection !== undefined && !this.#connection.closed) return Promise.resolve(this.#connection);
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(): Promise<Connection> {
    if (this.#closed.signal.aborted)
      throw new DisconnectedError('the connection to systemd was closed by this process');
    const again = this.#connection !== undefined;
    const failures: string[] = [];
    for (const { path, direct } of this.#sockets) {
      try {
        const connection = await Connection.open({
          socket: path,
          direct,
          onSignal: (message) => {
            for (const listener of this.#signalListeners) listener(message);
          },
          onClose: () => this.#lost(path),
        });
        await subscribe(connection).catch((error: unknown) => {
          connection.close();
          throw error;
        });
        this.#connection = connection;
        if (again) {
          this.#log(`connected to systemd again at ${path}`);
          for (const listener of this.#reconnectListeners) listener();
        }
        return connection;
      } catch (error) {
        failures.push(`${path}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    throw new DisconnectedError(`systemd cannot be reached (${failures.join('; ')})`);
  }

  #lost(path: string): void {
    if (this.#closed.signal.aborted || this.#connection === undefined) return;
    this.#log(`${path} closed the connection`);
    this.#reconnect(reconnectFirstMs);
  }

  #reconnect(afterMs: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#connected().catch(() => this.#reconnect(Math.min(afterMs * 2, reconnectMaxMs)));
    }, afterMs);
    this.#retry.unref();
  }
}

/** Asks for signals: of systemd itself, and on a bus also of the bus. */
async function subscribe(connection: Connection): Promise<void> {
  if (!connection.direct) {
    const bus = 'org.freedesktop.DBus';
    const call = {
      destination: bus,
      path: '/org/freedesktop/DBus',
      interface: bus,
      member: 'AddMatch',
      signature: 's',
    };
    await connection.call({ ...call, body: [`type='signal',sender='${systemd}'`] }, handshakeMs);
  }
  const manager = { destination: systemd, path: managerPath, interface: `${systemd}.Manager` };
  await connection.call({ ...manager, member: 'Subscribe' }, handshakeMs);
}

const unitPrefix = `${managerPath}/unit/`;

/** The object path of a unit: every byte that is no letter or digit (nor a leading digit) as _xx. */
export function unitPath(unit: string): string {
  let path = unitPrefix;
  for (const [index, byte] of Buffer.from(unit).entries()) {
    const character = String.fromCharCode(byte);
    const plain = index === 0 ? /[A-Za-z]/ : /[A-Za-z0-9]/;
    path += plain.test(character) ? character : `_${byte.toString(16).padStart(2, '0')}`;
  }
  return path;
}

/** The unit that an object path stands for, undefined for other objects. */
export function unitOfPath(path: string): string | undefined {
  if (!path.startsWith(unitPrefix)) return undefined;
  const escaped = path.slice(unitPrefix.length).replace(/_([0-9a-f]{2})/g, '%$1');
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}
