import type { Resources } from '../registry/resource.ts';
import type { Store } from '../store/store.ts';
import { customResource, storeId } from './custom.ts';

const DEFINITIONS = 'customresourcedefinitions';

/** Serves what the stored CustomResourceDefinitions declare, from now on. */
export function serveDefinitions(store: Store, resources: Resources): void {
  for (const definition of store.all(DEFINITIONS)) resources.add(customResource(definition));
  store.subscribe((change) => {
    if (change.resource !== DEFINITIONS) return;
    if (change.type === 'DELETED') resources.remove(storeId(change.object));
    else resources.add(customResource(change.object));
  });
}
