import { RE2JS } from 're2js';
import type { JsonSchema } from './types.ts';

/** A schema compiled once; opaque to callers but for the schema it came from. */
export interface CompiledSchema {
  readonly source: JsonSchema;
}

/** A node of the compiled tree, what the walkers read. */
export interface Node extends CompiledSchema {
  /** The types a value may have; empty for any. */
  readonly types: readonly string[];
  readonly nullable: boolean;
  readonly preserve: boolean;
  readonly embedded: boolean;
  readonly properties: ReadonlyMap<string, Node>;
  /** Properties in the order of their names: in that order errors are told. */
  readonly sorted: readonly (readonly [string, Node])[];
  readonly defaults: readonly (readonly [string, unknown])[];
  readonly items: Node | undefined;
  readonly additional: Node | undefined;
  /** `additionalProperties: true` */
  readonly anyAdditional: boolean;
  readonly format: string | undefined;
  readonly pattern: RE2JS | undefined;
  readonly allOf: readonly Node[];
  readonly anyOf: readonly Node[];
  readonly oneOf: readonly Node[];
  readonly not: Node | undefined;
  /** Whether a list-type set or map stands here or below. */
  readonly keyedLists: boolean;
}

const NUMERIC_FORMATS = new Set(['int32', 'int64', 'float', 'double']);

/** Compiles a schema. Throws an Error naming the pattern where one is no RE2 expression. */
export function compileSchema(schema: JsonSchema): CompiledSchema {
  return compileNode(schema);
}

/** The compiled tree behind the opaque type. */
export function nodeOf(schema: CompiledSchema): Node {
  return schema as Node;
}

function compileNode(schema: JsonSchema): Node {
  const properties = new Map(Object.entries(schema.properties ?? {}).map(([k, s]) => [k, compileNode(s)]));
  const items = schema.items === undefined ? undefined : compileNode(schema.items);
  const additional =
    typeof schema.additionalProperties === 'object' ? compileNode(schema.additionalProperties) : undefined;
  const listType = schema['x-kubernetes-list-type'];
  return {
    source: schema,
    types:
      schema['x-kubernetes-int-or-string'] === true
        ? ['integer', 'string']
        : schema.type === undefined || schema.type === ''
          ? []
          : [schema.type],
    nullable: schema.nullable === true,
    preserve: schema['x-kubernetes-preserve-unknown-fields'] === true,
    embedded: schema['x-kubernetes-embedded-resource'] === true,
    properties,
    sorted: [...properties].sort(([a], [b]) => (a < b ? -1 : 1)),
    defaults: [...properties].flatMap(([k, n]) =>
      n.source.default === undefined ? [] : [[k, n.source.default] as const],
    ),
    items,
    additional,
    anyAdditional: schema.additionalProperties === true,
    format: supportedFormat(schema.format),
    pattern:
      schema.pattern === undefined || schema.pattern === '' ? undefined : compilePattern(schema.pattern),
    allOf: (schema.allOf ?? []).map(compileNode),
    anyOf: (schema.anyOf ?? []).map(compileNode),
    oneOf: (schema.oneOf ?? []).map(compileNode),
    not: schema.not === undefined ? undefined : compileNode(schema.not),
    keyedLists:
      listType === 'set' ||
      listType === 'map' ||
      items?.keyedLists === true ||
      additional?.keyedLists === true ||
      [...properties.values()].some((n) => n.keyedLists),
  };
}

/** Compiles an RE2 expression; throws an Error with the pattern in it. */
export function compilePattern(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    throw new Error(
      `pattern ${JSON.stringify(pattern)}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** Formats that the server doesn't know are as good as not there. */
function supportedFormat(format: string | undefined): string | undefined {
  if (format === undefined || NUMERIC_FORMATS.has(format)) return format;
  return STRING_FORMATS.has(format.replaceAll('-', '')) ? format : undefined;
}

/** apiextensions-apiserver 0.36.3, pkg/apiserver/validation/formats.go, names without their dashes. */
const STRING_FORMATS = new Set(
  (
    'bsonobjectid uri email hostname ipv4 ipv6 cidr mac uuid uuid3 uuid4 uuid5 isbn isbn10 isbn13 creditcard ssn ' +
    'hexcolor rgbcolor byte password date duration datetime k8sshortname k8slongname'
  ).split(' '),
);
