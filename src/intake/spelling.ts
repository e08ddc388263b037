import { authCodeOf } from '../domain/auth-codes.ts';
import { STATUSES, type Status } from '../domain/names.ts';
import { wordKey } from '../domain/status-words.ts';

/** A report whose names are spelled as the schemas have them. */
export interface Spelled {
  item: object;
  /** Paths of fields in the body as sent, by their path here; only where the two differ. */
  sentAs: Map<string, string>;
}

/** Words for statuses of this user's own, by `wordKey`. */
export type StatusWords = ReadonlyMap<string, Status>;

const EXACT: ReadonlySet<string> = new Set(STATUSES);
const BY_KEY = new Map(STATUSES.map((status) => [wordKey(status), status]));
const LONGEST_WORD = 100;

/**
 * The status that is named in any case and with any marks between its words: `Backend-Reversed`.
 */
export function statusNamed(word: string, further?: StatusWords): string {
  if (EXACT.has(word) || word.length > LONGEST_WORD) return word;
  const key = wordKey(word);
  return further?.get(key) ?? BY_KEY.get(key) ?? word;
}

/** Two counts under one name add up; what is no number stays, to be refused. */
const sum = (a: unknown, b: unknown): unknown =>
  typeof a === 'number' && typeof b === 'number' ? a + b : typeof a === 'number' ? b : a;

/** The record itself where no name changes, which is the usual case. */
function respell(record: object, field: string, nameOf: (key: string) => string, { sentAs }: Spelled): object {
  const entries = Object.entries(record);
  if (entries.every(([key]) => nameOf(key) === key)) return record;
  const spelled: Record<string, unknown> = {};
  for (const [key, value] of entries) {
    const name = nameOf(key);
    spelled[name] = Object.hasOwn(spelled, name) ? sum(spelled[name], value) : value;
    if (name !== key) sentAs.set(`${field}.${name}`, `${field}.${key}`);
  }
  return spelled;
}

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Spells statuses as they are named here, and gives auth codes the zero back that spreadsheets and
 * numbers lose.
 */
export function spell(sent: Spelled, further?: StatusWords): Spelled {
  const { counts, status, authCodes, auth_code: code } = sent.item as Record<string, unknown>;
  const changed: Record<string, unknown> = {};
  if (isRecord(counts)) changed.counts = respell(counts, 'counts', (key) => statusNamed(key, further), sent);
  if (isRecord(authCodes)) changed.authCodes = respell(authCodes, 'authCodes', authCodeOf, sent);
  if (typeof status === 'string') changed.status = statusNamed(status, further);
  if (typeof code === 'string') changed.auth_code = authCodeOf(code);
  if (typeof code === 'number' && Number.isInteger(code) && code >= 0) changed.auth_code = authCodeOf(String(code));
  return { ...sent, item: { ...sent.item, ...changed } };
}
