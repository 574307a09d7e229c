import type { KubeObject } from '../object.ts';
import type { Registry } from '../registry/registry.ts';
import type { Resources } from '../registry/resource.ts';
import type { Change } from '../store/change.ts';
import type { Store } from '../store/store.ts';

/** What the server's own controllers work with. */
export interface Control {
  store: Store;
  registry: Registry;
  resources: Resources;
  clock: () => number;
  log: (error: unknown) => void;
}

/** One of the server's own controllers. */
export interface Controller {
  /** Told of every object at the start, and of every change from then on. */
  seen(resource: string, object: KubeObject): void;
  gone(change: Change): void;
  stop(): Promise<void>;
}

/** Shows the controllers what is there, and then what changes. Returns what ends them. */
export function runControllers(control: Control, controllers: Controller[]): () => Promise<void> {
  const unsubscribe = control.store.subscribe((change) => {
    for (const controller of controllers) {
      if (change.type === 'DELETED') controller.gone(change);
      else controller.seen(change.resource, change.object);
    }
  });
  for (const id of new Set(control.resources.all().map((resource) => resource.id))) {
    for (const object of control.store.all(id)) {
      for (const controller of controllers) controller.seen(id, object);
    }
  }
  return async () => {
    unsubscribe();
    await Promise.all(controllers.map((controller) => controller.stop()));
  };
}
