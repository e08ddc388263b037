import { alternatives, type OpenApi, resolve, type Schema } from './document.ts';

const BY_FORMAT: Record<string, string> = { 'date-time': '2026-11-21T12:31:00Z', date: '2026-11-21' };
/** Stands for text that depends on who asks. */
const TEXT = '…';
const DEEPEST = 8;

const typeOf = ({ type }: Schema): string | undefined =>
  Array.isArray(type) ? type.find((each) => each !== 'null') : type;

function objectExample(schema: Schema, document: OpenApi, depth: number): Record<string, unknown> {
  const known = Object.entries(schema.properties ?? {}).map(([name, each]) => [
    name,
    exampleOf(each, document, depth + 1),
  ]);
  if (known.length > 0 || typeof schema.additionalProperties !== 'object') return Object.fromEntries(known);
  const name = resolve(schema.propertyNames ?? {}, document).enum?.[0] ?? 'name';
  return { [String(name)]: exampleOf(schema.additionalProperties, document, depth + 1) };
}

/** A value that a schema takes: its own example, else one made of its parts. */
export function exampleOf(named: Schema, document: OpenApi, depth = 0): unknown {
  const schema = resolve(named, document);
  const { options } = alternatives(schema);
  const given = schema.example ?? schema.default ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) return given;
  if (options[0] !== undefined) return exampleOf(options[0], document, depth);
  if (depth > DEEPEST) return null;
  switch (typeOf(schema)) {
    case 'object':
      return objectExample(schema, document, depth);
    case 'array':
      return [exampleOf(schema.items ?? {}, document, depth + 1)];
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    default:
      return BY_FORMAT[schema.format ?? ''] ?? TEXT;
  }
}
