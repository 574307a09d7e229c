import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The checker that a Web inspection asks; while it is closed it says nothing. */
export class Gate {
  readonly #server = createServer((_request, response) => {
    response.writeHead(this.#isOpen ? 200 : 503).end();
  });
  #isOpen = true;

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }
  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
  open(): void {
    this.#isOpen = true;
  }
  close(): void {
    this.#isOpen = false;
  }
}
