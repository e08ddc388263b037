import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { UsageError } from '../config/usage-error.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import { wordKey } from '../domain/status-words.ts';
import { formatProblem } from '../runtime/file-problem.ts';
import { lineOf, parseYaml } from '../runtime/yaml-file.ts';
import { type Spelled, statusNamed } from './spelling.ts';
import { suggest } from './suggest.ts';

/** The way to read bodies of another shape. Paths are dotted: `tags.acquirer`. */
export interface Mapping {
  file: string;
  /** The path of the reports in a body; `*` is any key. */
  items: string | undefined;
  rename: readonly (readonly [from: string, to: string])[];
  constant: readonly (readonly [to: string, value: unknown])[];
  ignore: readonly string[];
  statuses: ReadonlyMap<string, Status>;
  /** Counts and times in quotes are numbers. */
  numbersInStrings: boolean;
}

const FIELDS = ['timestamp', 'source', 'status', 'count', 'auth_code', 'id', 'counts', 'authCodes', 'labels'];

/** Says what is wrong with a field that a mapping writes to. */
function wrongTarget(path: string, labels: readonly string[]): string | undefined {
  const [field = '', ...rest] = path.split('.');
  const name = rest.join('.');
  const near = suggest(field, FIELDS);
  if (!FIELDS.includes(field))
    return `"${path}" is not a field of a report; ${near ? `did you mean "${near}"?` : `fields are ${FIELDS.join(', ')}`}`;
  if (rest.length === 0) return undefined;
  if (field === 'counts')
    return STATUSES.includes(name as Status)
      ? undefined
      : `"${name}" is not a status; statuses are ${STATUSES.join(', ')}`;
  if (field === 'labels')
    return labels.includes(name)
      ? undefined
      : `"${name}" is not among --dimensions (${labels.join(', ') || 'there are none'})`;
  return field === 'authCodes' ? undefined : `"${field}" has no parts`;
}

const path = z.string({ error: 'must be a dotted path' }).min(1, 'must not be empty');

const schemaFor = (labels: readonly string[]) => {
  const target = path.superRefine((text, context) => {
    const message = wrongTarget(text, labels);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  const status = z.string({ error: 'must be a status' }).transform((word, context): Status => {
    const named = statusNamed(word);
    if (STATUSES.includes(named as Status)) return named as Status;
    context.addIssue({ code: 'custom', message: `"${word}" is not a status; statuses are ${STATUSES.join(', ')}` });
    return z.NEVER;
  });
  const value = z.union([z.string(), z.number()], { error: 'must be a text or a number' });
  return z.strictObject({
    items: path.optional(),
    rename: z.record(path, target, { error: 'must be a map such as "ts: timestamp"' }).default({}),
    constant: z.record(target, value, { error: 'must be a map such as "source: pos"' }).default({}),
    ignore: z.array(path, { error: 'must be a list such as [host]' }).default([]),
    statuses: z.record(z.string(), status, { error: 'must be a map such as "declined: denied"' }).default({}),
    numbersInStrings: z.boolean({ error: 'must be true or false' }).default(false),
  });
};

const KEYS = ['items', 'rename', 'constant', 'ignore', 'statuses', 'numbersInStrings'];

function messageOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .map((key) => {
        const near = suggest(key, KEYS);
        return `unknown key "${key}"; ${near ? `did you mean "${near}"?` : `keys are ${KEYS.join(', ')}`}`;
      })
      .join('; ');
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join('; ');
  return issue.message;
}

/**
 * Reads a mapping file.
 * @param labels extra labels that reports may carry
 * @throws UsageError that names every wrong line
 */
export function readMapping(file: string, labels: readonly string[]): Mapping | undefined {
  if (file === '') return undefined;
  if (!existsSync(file)) throw new UsageError(`--mapping: there is no file ${file}`);
  const yaml = parseYaml(file, readFileSync(file, 'utf8'));
  const fail = (problems: { line?: number | undefined; message: string }[]) =>
    new UsageError(
      problems.map((problem) => `--mapping: ${formatProblem({ file, ...problem }, process.cwd())}`).join('\n'),
    );
  if (yaml.problems.length > 0) throw fail(yaml.problems);
  const result = schemaFor(labels).safeParse(yaml.doc.toJS() ?? {});
  if (!result.success)
    throw fail(
      result.error.issues.map((issue) => {
        const at = issue.path as (string | number)[];
        const line = lineOf(yaml, issue.code === 'unrecognized_keys' ? [...at, issue.keys[0] ?? ''] : at);
        return { line, message: `${at.join('.')}${at.length > 0 ? ': ' : ''}${messageOf(issue)}` };
      }),
    );
  const { rename, constant, statuses, items, ...rest } = result.data;
  return {
    ...rest,
    file,
    items,
    rename: Object.entries(rename),
    constant: Object.entries(constant),
    statuses: new Map(Object.entries(statuses).map(([word, status]) => [wordKey(word), status])),
  };
}

/** Describes a mapping in sentences for people. */
export function describeMapping({
  file,
  items,
  rename,
  constant,
  ignore,
  statuses,
  numbersInStrings,
}: Mapping): string {
  const name = file.split('/').at(-1);
  const list = (pairs: Iterable<readonly [string, unknown]>, word: string) =>
    [...pairs].map(([from, to]) => `\`${from}\` ${word} \`${to}\``);
  const said = [
    items && `reports stand in \`${items}\``,
    ...list(rename, 'is read as'),
    ...list(constant, 'is always'),
    ignore.length > 0 && `${ignore.map((one) => `\`${one}\``).join(', ')} ${ignore.length > 1 ? 'are' : 'is'} ignored`,
    ...list(statuses, 'means'),
    numbersInStrings && 'counts and times may be in quotes',
  ];
  return `This service reads bodies by the mapping \`${name}\`: ${said.filter(Boolean).join('; ')}.`;
}

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Every way to cut a dotted path in two: names may have dots of their own. */
function* cuts(path: string): Generator<[head: string, rest: string]> {
  for (let at = path.indexOf('.', 1); at !== -1; at = path.indexOf('.', at + 1))
    yield [path.slice(0, at), path.slice(at + 1)];
}

/**
 * Takes a value out of a list of keys and values, such as the attributes of OpenTelemetry: `{"key":
 * "a", "value": {"stringValue": "b"}}`.
 */
function takeOfPairs(pairs: unknown[], name: string): unknown {
  const index = pairs.findIndex((pair) => isFields(pair) && pair.key === name);
  if (index === -1) return undefined;
  const [pair] = pairs.splice(index, 1);
  const { value } = pair as Fields;
  return isFields(value) ? Object.values(value)[0] : value;
}

/** Takes the value at a path out of an object, and what is empty then. */
function take(from: Fields, path: string): unknown {
  if (Object.hasOwn(from, path)) {
    const value = from[path];
    delete from[path];
    return value;
  }
  for (const [head, rest] of cuts(path)) {
    const inner = from[head];
    const value = Array.isArray(inner) ? takeOfPairs(inner, rest) : isFields(inner) ? take(inner, rest) : undefined;
    if (value === undefined) continue;
    if (Object.keys(inner as object).length === 0) delete from[head];
    return value;
  }
  return undefined;
}

function put(into: Fields, path: string, value: unknown): void {
  const [head, rest] = path.split(/\.(.*)/s) as [string, string | undefined];
  if (rest === undefined) into[head] = value;
  else {
    const inner = isFields(into[head]) ? into[head] : {};
    inner[rest] = head === 'labels' && typeof value === 'number' ? String(value) : value;
    into[head] = inner;
  }
}

const NUMBER = /^\d{1,20}(\.\d+)?$/;
const toNumber = (value: unknown): unknown => (typeof value === 'string' && NUMBER.test(value) ? Number(value) : value);

function unquote(item: Fields): void {
  for (const field of ['timestamp', 'time', 'count', 'F1']) if (field in item) item[field] = toNumber(item[field]);
  for (const field of ['counts', 'authCodes']) {
    const record = item[field];
    if (isFields(record)) for (const key in record) record[key] = toNumber(record[key]);
  }
}

/** A report of another shape as one of ours; its fields are not yet checked. */
export function mapItem(sent: object, { rename, ignore, constant, numbersInStrings }: Mapping): Spelled {
  const item = structuredClone(sent) as Fields;
  const sentAs = new Map<string, string>();
  const renamed = rename.flatMap(([from, to]) => {
    const value = take(item, from);
    return value === undefined ? [] : [{ from, to, value }];
  });
  for (const path of ignore) take(item, path);
  for (const { from, to, value } of renamed) {
    put(item, to, value);
    sentAs.set(to, from);
  }
  for (const [to, value] of constant) put(item, to, value);
  if (numbersInStrings) unquote(item);
  return { item, sentAs };
}

export interface Found {
  path: PropertyKey[];
  item: unknown;
}

/**
 * Rows of a data frame as Grafana sends it: names in its schema, values by column, null where there
 * is none.
 */
function rowsOf(item: unknown): Fields[] | undefined {
  const { schema, data } = isFields(item) ? item : {};
  const fields = isFields(schema) && Array.isArray(schema.fields) ? schema.fields : undefined;
  const columns = isFields(data) && Array.isArray(data.values) ? (data.values as unknown[][]) : undefined;
  if (fields === undefined || columns === undefined || !columns.every(Array.isArray)) return undefined;
  const names = fields.map((field, i) => String(isFields(field) ? field.name : i));
  return (columns[0] ?? []).map((_, row) =>
    Object.fromEntries(names.map((name, i) => [name, columns[i]?.[row]]).filter(([, value]) => value != null)),
  );
}

function inList({ path, item }: Found): Found[] {
  if (!Array.isArray(item)) return [{ path, item }];
  return item.map((one, index) => ({ path: [...path, index], item: one }));
}

function inFrame({ path, item }: Found): Found[] {
  const rows = rowsOf(item);
  return rows === undefined
    ? [{ path, item }]
    : rows.map((row, index) => ({ path: [...path, 'rows', index], item: row }));
}

function follow({ path, item }: Found, [part, ...rest]: readonly string[]): Found[] {
  if (part === undefined) return inList({ path, item });
  if (typeof item !== 'object' || item === null) return [];
  const keys = part === '*' ? Object.keys(item) : Object.hasOwn(item, part) ? [part] : [];
  return keys.flatMap((key) => follow({ path: [...path, key], item: (item as Fields)[key] }, rest));
}

/**
 * The reports of a body, each with its path; a body that has nothing where a mapping says is a
 * report itself.
 */
export function itemsOf(body: unknown, mapping: Mapping | undefined): Found[] {
  const items = inList({ path: [], item: body });
  if (mapping === undefined) return items;
  const parts = mapping.items?.split('.') ?? [];
  return items.flatMap((found) => {
    const inner = follow(found, parts);
    return (inner.length > 0 ? inner : [found]).flatMap(inFrame);
  });
}
