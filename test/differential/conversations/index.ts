import type { Conversation } from '../conversation.ts';
import { access } from './access.ts';
import { admission } from './admission.ts';
import { applying } from './applying.ts';
import { builtIns } from './built-ins.ts';
import { certificates } from './certificates.ts';
import { customResources } from './custom-resources.ts';
import { listsAndWatches } from './lists-and-watches.ts';
import { patches } from './patches.ts';
import { clusterApi } from './cluster-api.ts';
import { evictions } from './evictions.ts';
import { kubelet } from './kubelet.ts';
import { ownKinds } from './own-kinds.ts';
import { watching } from './watching.ts';
import { paths } from './paths.ts';
import { validation } from './validation.ts';

export const conversations: readonly Conversation[] = [
  paths,
  customResources,
  validation,
  patches,
  applying,
  listsAndWatches,
  builtIns,
  access,
  admission,
  certificates,
  clusterApi,
  evictions,
  ownKinds,
  watching,
  kubelet,
];
