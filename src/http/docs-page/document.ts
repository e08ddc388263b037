/** A schema of an OpenAPI 3.1 document, as far as the reference page reads it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  default?: unknown;
  example?: unknown;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
}

export interface Parameter {
  in: string;
  name: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

export type Content = Record<string, { schema?: Schema; example?: unknown }>;

export interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  /** The role that a token needs. */
  'x-role'?: string;
  parameters?: Parameter[];
  requestBody?: { content: Content };
  responses: Record<string, { description?: string; content?: Content }>;
}

export interface OpenApi {
  info: { title: string; version: string; description?: string };
  paths: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Schema> };
}

/** An operation with its address, as it stands on the page. */
export interface Entry {
  method: string;
  path: string;
  operation: Operation;
  id: string;
}

export function entriesOf({ paths }: OpenApi): Entry[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation,
      id: `${method}${path}`.replaceAll(/[^\w.]+/g, '-').replace(/-$/, ''),
    })),
  );
}

/** The schema itself where it is only named. */
export function resolve(schema: Schema, { components }: OpenApi): Schema {
  const name = schema.$ref?.split('/').at(-1);
  const named = name === undefined ? undefined : components?.schemas?.[name];
  if (named === undefined) return schema;
  // Keywords beside the reference belong to this place.
  const { $ref: _, ...own } = schema;
  return { ...resolve(named, { components } as OpenApi), ...own };
}

/** The alternatives of a schema but null, and whether it may be null. */
export function alternatives(schema: Schema): { options: Schema[]; nullable: boolean } {
  const all = schema.anyOf ?? schema.oneOf ?? [];
  const options = all.filter(({ type }) => type !== 'null');
  const nullable = options.length < all.length || (Array.isArray(schema.type) && schema.type.includes('null'));
  return { options, nullable };
}
