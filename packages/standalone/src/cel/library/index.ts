import { Library } from '../functions.ts';
import { addAuthorizer } from './authorizer.ts';
import { addFormat } from './format.ts';
import { addLists } from './lists.ts';
import { addNetwork } from './network.ts';
import { addOperators } from './operators.ts';
import { addOptional } from './optional.ts';
import { addQuantity } from './quantity.ts';
import { addSemver } from './semver.ts';
import { addStrings } from './strings.ts';
import { addTime } from './time.ts';
import { addUrl } from './url.ts';

/** CEL's standard functions and those that Kubernetes 1.36 adds. */
export const KUBERNETES = new Library();
for (const add of [
  addOperators,
  addStrings,
  addLists,
  addTime,
  addOptional,
  addQuantity,
  addNetwork,
  addUrl,
  addSemver,
  addFormat,
  addAuthorizer,
])
  add(KUBERNETES);
