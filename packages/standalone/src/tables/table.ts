import type { KubeObject, Obj } from '../object.ts';
import type { Request } from '../registry/request.ts';
import type { Column } from '../registry/resource.ts';

/** What of a list's or object's metadata a Table shows. */
export interface TableMeta {
  resourceVersion?: string;
  continue?: string;
  remainingItemCount?: number;
}

/** Column definitions as a Table carries them. */
export function definitions(columns: Column[]): Obj[] {
  return columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

/** A `meta.k8s.io/v1` Table of the objects. `columns: false` leaves the definitions out, as events after the first of a watch do. */
export function table(objects: KubeObject[], request: Request, meta: TableMeta, columns = true): Obj {
  const { version, now } = request;
  const include = request.query.get('includeObject') ?? 'Metadata';
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      ...(meta.resourceVersion ? { resourceVersion: meta.resourceVersion } : {}),
      ...(meta.continue ? { continue: meta.continue } : {}),
      ...(meta.remainingItemCount ? { remainingItemCount: meta.remainingItemCount } : {}),
    },
    columnDefinitions: columns ? definitions(version.columns) : null,
    rows: objects.map((object) => ({
      cells: version.columns.map((column) => column.cell(object, now)),
      object: include === 'None' ? null : include === 'Object' ? object : partial(object),
    })),
  };
}

export function partial(object: KubeObject): Obj {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
