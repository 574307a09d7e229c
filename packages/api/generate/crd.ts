/** A kind's CustomResourceDefinition. */
import type { KindDefinition } from '../schema/kinds.ts';
import { type Schema, structural, withoutTitles } from './structural.ts';

export function crd(kind: KindDefinition): Record<string, unknown> {
  const schema = withoutTitles(structural(kind.schema, kind.kind));
  const properties: Record<string, Schema> = {
    apiVersion: { type: 'string', description: 'Group and version of the kind.' },
    kind: { type: 'string', description: 'The kind.' },
    metadata: { type: 'object' },
    ...schema.properties,
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${kind.group}` },
    spec: {
      group: kind.group,
      scope: 'Cluster',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural: kind.plural,
        singular: kind.singular,
        shortNames: kind.shortNames,
        categories: ['kubenode'],
      },
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { ...schema, properties } },
          ...(schema.properties?.['status'] && { subresources: { status: {} } }),
          additionalPrinterColumns: kind.columns,
        },
      ],
    },
  };
}
