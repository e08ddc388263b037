import { esc, type Html } from '../../reports/escape.ts';
import { alternatives, type OpenApi, resolve, type Schema } from './document.ts';

/** A field of a body or an answer, or a parameter. */
export interface Field {
  /** `alerts[].labels`; empty for the whole. */
  name: string;
  type: string;
  required: boolean;
  schema: Schema;
}

const DEEPEST = 6;

/** As programmers write types: `string`, `object[]`, `map of integer`, `number or null`. */
export function typeOf(named: Schema, document: OpenApi): string {
  const schema = resolve(named, document);
  const { options, nullable } = alternatives(schema);
  const plain = Array.isArray(schema.type) ? schema.type.filter((type) => type !== 'null').join(' or ') : schema.type;
  const one = () => {
    if (options.length > 0) return [...new Set(options.map((option) => typeOf(option, document)))].join(' or ');
    if (plain === 'array') return `${typeOf(schema.items ?? {}, document)}[]`;
    if (typeof schema.additionalProperties === 'object' && schema.properties === undefined)
      return `map of ${typeOf(schema.additionalProperties, document)}`;
    return schema.format === 'date-time' || schema.format === 'date' ? schema.format : (plain ?? 'any');
  };
  return nullable ? `${one()} or null` : one();
}

/** The object within a schema that is an object, a list of objects, or either of them or null. */
function inside(schema: Schema, document: OpenApi, name: string): { schema: Schema; name: string } | undefined {
  const { options } = alternatives(schema);
  const only = options.length === 1 ? resolve(options[0] ?? {}, document) : schema;
  if (only.properties !== undefined) return { schema: only, name };
  if (only.items !== undefined) return inside(resolve(only.items, document), document, `${name}[]`);
  const values = only.additionalProperties;
  return typeof values === 'object' ? inside(resolve(values, document), document, `${name}.*`) : undefined;
}

/** All fields of a schema, in the order in which they stand, fields of fields after their own. */
export function fieldsOf(named: Schema, document: OpenApi, name = '', depth = 0): Field[] {
  const found = inside(resolve(named, document), document, name);
  if (found === undefined || depth > DEEPEST) return [];
  const { properties = {}, required = [] } = found.schema;
  return Object.entries(properties).flatMap(([key, schema]) => {
    const full = found.name === '' ? key : `${found.name}.${key}`;
    const field = { name: full, type: typeOf(schema, document), required: required.includes(key), schema };
    return [field, ...fieldsOf(schema, document, full, depth + 1)];
  });
}

const code = (value: unknown): Html => `<code>${esc(typeof value === 'string' ? value : JSON.stringify(value))}</code>`;

function range(low: number | undefined, high: number | undefined, unit: string): string[] {
  // Every whole number of JavaScript is within these limits, so they say nothing.
  const most = high === Number.MAX_SAFE_INTEGER ? undefined : high;
  const least = low === Number.MIN_SAFE_INTEGER ? undefined : low;
  if (least !== undefined && most !== undefined) return [`${least} to ${most}${unit}`];
  if (least !== undefined) return [`${least} or more${unit}`];
  return most === undefined ? [] : [`at most ${most}${unit}`];
}

/** Limits of a value, in words. */
function limits(schema: Schema): Html[] {
  return [
    ...(schema.enum === undefined ? [] : [schema.enum.map(code).join(' ')]),
    ...(schema.const === undefined ? [] : [`always ${code(schema.const)}`]),
    ...range(schema.minimum, schema.maximum, ''),
    ...range(schema.minLength, schema.maxLength, ' characters'),
    ...range(schema.minItems, schema.maxItems, ' items'),
    ...(schema.default === undefined ? [] : [`default ${code(schema.default)}`]),
  ];
}

/** Text in which backquotes mark code. */
export const prose = (text: string): Html => esc(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

function notes(schema: Schema, document: OpenApi): Html {
  const whole = resolve(schema, document);
  const { options } = alternatives(whole);
  const limited = options.length === 1 ? { ...resolve(options[0] ?? {}, document), ...whole } : whole;
  const item = limited.items === undefined ? [] : limits(resolve(limited.items, document));
  const said = whole.description === undefined ? [] : [prose(whole.description)];
  return [...said, ...[...limits(limited), ...item].map((limit) => `<span class="limit">${limit}</span>`)].join(' ');
}

export interface ListedField extends Field {
  /** Said beside the name, such as `query`. */
  where?: string;
}

interface Row {
  names: string[];
  parent: string;
  /** Type and marks, then what is said of it. */
  head: Html;
  said: Html;
}

function rowOf({ name, type, required, schema, where }: ListedField, document: OpenApi): Row {
  const marks = [where, required ? 'required' : undefined].filter((mark) => mark !== undefined);
  const head = [
    `<span class="type">${esc(type)}</span>`,
    ...marks.map((mark) => `<span class="mark">${esc(mark)}</span>`),
  ];
  const parent = name.includes('.') ? name.slice(0, name.lastIndexOf('.') + 1) : '';
  return { names: [name], parent, head: head.join(' '), said: notes(schema, document) };
}

/** Seven counts of which the same is said are one row. */
function joined(rows: readonly Row[]): Row[] {
  const found: Row[] = [];
  for (const row of rows) {
    const last = found.at(-1);
    const alike = last !== undefined && last.parent !== '' && row.parent === last.parent && row.head === last.head;
    if (alike && row.said === last.said) last.names.push(...row.names.map((name) => name.slice(row.parent.length)));
    else found.push({ ...row });
  }
  return found;
}

/** Fields by name, type and meaning. */
export function fieldList(fields: readonly ListedField[], document: OpenApi): Html {
  const rows = joined(fields.map((field) => rowOf(field, document))).map(({ names, parent, head, said }) => {
    const listed = names.map((name) => `<code>${esc(name).replaceAll('.', '.<wbr>')}</code>`).join(', ');
    return `<div class="field${parent === '' ? '' : ' deep'}"><dt>${listed} ${head}</dt><dd>${said}</dd></div>`;
  });
  return `<dl class="fields">${rows.join('\n')}</dl>`;
}
