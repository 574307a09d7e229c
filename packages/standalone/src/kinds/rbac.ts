import type { Cause } from '../http/status.ts';
import { child, list, same, strings } from '../object.ts';
import { badValue, required, unsupported } from '../registry/metadata.ts';
import type { Particular } from './particular.ts';

/** Roles and ClusterRoles. */
export const roles: Particular = {
  validate: (object) => {
    const causes: Cause[] = [];
    const inNamespace = object.metadata.namespace !== undefined;
    list(object, 'rules').forEach((rule, i) => {
      const field = `rules[${i}]`;
      if (strings(rule, 'verbs').length === 0) {
        causes.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
      }
      const urls = strings(rule, 'nonResourceURLs');
      if (urls.length > 0) {
        if (inNamespace) {
          causes.push(
            badValue(`${field}.nonResourceURLs`, urls, 'namespaced rules cannot apply to non-resource URLs'),
          );
        }
        return;
      }
      if (strings(rule, 'apiGroups').length === 0) {
        causes.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
      }
      if (strings(rule, 'resources').length === 0) {
        causes.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
      }
    });
    return causes;
  },
};

/** RoleBindings and ClusterRoleBindings. */
export const bindings: Particular = {
  validate: (object, old) => {
    const causes: Cause[] = [];
    const { apiGroup, kind, name } = child(object, 'roleRef');
    if (!name) causes.push(required('roleRef.name'));
    const kinds = object.metadata.namespace ? ['Role', 'ClusterRole'] : ['ClusterRole'];
    if (typeof kind !== 'string' || !kinds.includes(kind))
      causes.push(unsupported('roleRef.kind', kind, kinds));
    if (old && !same(object['roleRef'], old['roleRef'])) {
      // In the names of Go's fields, as the real server prints it.
      causes.push(
        badValue('roleRef', { APIGroup: apiGroup, Kind: kind, Name: name }, 'cannot change roleRef'),
      );
    }
    return causes;
  },
};
