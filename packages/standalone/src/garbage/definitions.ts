import { CLEANUP } from '../kinds/definitions.ts';
import { storeId } from '../kinds/custom.ts';
import type { KubeObject } from '../object.ts';
import { internal } from '../registry/internal.ts';
import type { Change } from '../store/change.ts';
import type { Control, Controller } from './control.ts';
import { ignoreGone } from './owners.ts';
import { Worker } from './worker.ts';

/** A definition that is being deleted takes its objects with it, and goes when the last of them is gone. */
export class Definitions implements Controller {
  readonly #control: Control;
  /** Store id of the objects to the definition's name. */
  readonly #terminating = new Map<string, string>();
  readonly #worker: Worker;

  constructor(control: Control) {
    this.#control = control;
    this.#worker = new Worker((name) => this.#work(name), control.log);
  }

  seen(resource: string, object: KubeObject): void {
    if (resource !== 'customresourcedefinitions' || !object.metadata.deletionTimestamp) return;
    this.#terminating.set(storeId(object), object.metadata.name);
    this.#worker.add(object.metadata.name);
  }

  gone(change: Change): void {
    if (change.resource === 'customresourcedefinitions') this.#terminating.delete(storeId(change.object));
    const definition = this.#terminating.get(change.resource);
    if (definition) this.#worker.add(definition);
  }

  stop(): Promise<void> {
    return this.#worker.stop();
  }

  async #work(name: string): Promise<void> {
    const { clock, registry, resources, store } = this.#control;
    const definition = store.read('customresourcedefinitions', '', name);
    if (!definition?.metadata.deletionTimestamp || !definition.metadata.finalizers?.includes(CLEANUP)) return;
    const id = storeId(definition);
    const resource = resources.get(id);
    if (resource) {
      const request = internal(resource, '', '', clock());
      const options = {
        propagation: undefined,
        uid: undefined,
        resourceVersion: undefined,
        grace: undefined,
      };
      await registry.deleteCollection(request, options, (object) => !object.metadata.deletionTimestamp);
    }
    if (store.list(id, { limit: 1 }).rows.length > 0) return;
    const own = resources.get('customresourcedefinitions.apiextensions.k8s.io');
    if (!own) throw new Error('the server serves no CustomResourceDefinitions');
    await ignoreGone(
      registry.modify(internal(own, '', name, clock()), (live) => {
        live.metadata.finalizers = (live.metadata.finalizers ?? []).filter((one) => one !== CLEANUP);
        return live;
      }),
    );
  }
}
