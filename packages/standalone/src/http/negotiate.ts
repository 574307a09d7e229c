import { ApiError } from './status.ts';

/** What the client wants to read. */
export interface Wanted {
  /** As a Table, as metadata only, or as it is. */
  as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | undefined;
  /** Discovery: `v2` when the client reads aggregated discovery. */
  aggregated: boolean;
  /** As YAML and not as JSON. */
  yaml?: boolean;
}

const ANY = new Set(['application/json', '*/*', 'application/*']);

/** The first of the client's choices that can be served. @throws ApiError 406 when there is none. */
export function negotiate(accept: string | undefined): Wanted {
  if (!accept?.trim()) return { as: undefined, aggregated: false };
  for (const part of accept.split(',')) {
    const [type = '', ...rest] = part.split(';').map((item) => item.trim());
    if (type.toLowerCase() === 'application/yaml' && rest.length === 0) {
      return { as: undefined, aggregated: false, yaml: true };
    }
    if (!ANY.has(type.toLowerCase())) continue;
    const parameters = new Map(
      rest.map((item) => {
        const [key = '', value = ''] = item.split('=');
        return [key, value];
      }),
    );
    const as = parameters.get('as');
    if (as === undefined) return { as: undefined, aggregated: false };
    if (as === 'APIGroupDiscoveryList') {
      if (parameters.get('v') === 'v2') return { as: undefined, aggregated: true };
      continue;
    }
    if (parameters.get('v') !== 'v1' || parameters.get('g') !== 'meta.k8s.io') continue;
    if (as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
      return { as, aggregated: false };
    }
  }
  throw new ApiError(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  );
}
