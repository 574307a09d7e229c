import type { Conversation } from '../conversation.ts';
import { access } from './access.ts';
import { applying } from './applying.ts';
import { builtIns } from './built-ins.ts';
import { certificates } from './certificates.ts';
import { customResources } from './custom-resources.ts';
import { listsAndWatches } from './lists-and-watches.ts';
import { patches } from './patches.ts';
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
  certificates,
];
