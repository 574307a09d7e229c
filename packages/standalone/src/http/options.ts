import { type ApiError, badRequest, invalid, type Cause } from './status.ts';

const ABOUT = { group: 'meta.k8s.io', resource: 'ListOptions' };

function forbidden(field: string, why: string): Cause {
  return { reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field };
}

/** What can't be asked for together in a list or a watch. */
export function listOptionsProblem(query: URLSearchParams, watch: boolean): ApiError | undefined {
  const causes: Cause[] = [];
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.get('sendInitialEvents');
  const rv = query.get('resourceVersion') ?? '';
  const wrong: Cause = {
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${JSON.stringify(match)}: supported values: ${watch ? '"NotOlderThan"' : '"Exact", "NotOlderThan"'}`,
    field: 'resourceVersionMatch',
  };
  if (watch) {
    if (initial !== null) {
      if (match !== 'NotOlderThan') {
        causes.push(
          forbidden(
            'resourceVersionMatch',
            'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
          ),
        );
        if (match !== '') causes.push(wrong);
      }
    } else if (match !== '') {
      causes.push(
        forbidden(
          'resourceVersionMatch',
          'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
        ),
      );
      if (match !== 'NotOlderThan') causes.push(wrong);
    }
  } else {
    if (initial !== null)
      causes.push(forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list'));
    if (match !== '') {
      if (rv === '') {
        causes.push(
          forbidden(
            'resourceVersionMatch',
            'resourceVersionMatch is forbidden unless resourceVersion is provided',
          ),
        );
      } else if (query.get('continue')) {
        causes.push(
          forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
        );
      } else if (match !== 'Exact' && match !== 'NotOlderThan') causes.push(wrong);
      else if (match === 'Exact' && rv === '0') {
        causes.push(
          forbidden(
            'resourceVersionMatch',
            'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
          ),
        );
      }
    }
  }
  if (causes.length > 0) return invalid(ABOUT, '', causes);
  for (const name of ['limit', 'timeoutSeconds']) {
    const value = query.get(name) ?? '0';
    if (!/^-?\d+$/.test(value))
      return badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`);
  }
  return undefined;
}
