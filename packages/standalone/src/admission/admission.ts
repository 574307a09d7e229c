import type { KubeObject } from '../object.ts';
import type { Admission } from '../registry/registry.ts';
import type { Request } from '../registry/request.ts';
import type { Transaction } from '../store/store.ts';

/** All admission plugins, one after the other; the first that refuses wins. */
export class AdmissionChain implements Admission {
  readonly #plugins: Admission[];

  constructor(...plugins: Admission[]) {
    this.#plugins = plugins;
  }

  admit(
    request: Request,
    operation: 'CREATE' | 'UPDATE' | 'DELETE',
    object: KubeObject | null,
    old: KubeObject | null,
    tx: Transaction,
  ): void {
    for (const plugin of this.#plugins) plugin.admit(request, operation, object, old, tx);
  }
}
