import { authCodeOf, isCommonCode } from '../domain/auth-codes.ts';
import type { Status } from '../domain/names.ts';
import { statusOf, wordKey, wordsIn } from '../domain/status-words.ts';
import { headerKey, SYNONYMS } from './header-names.ts';

/** A column whose header names a status, an auth code or, as Grafana writes it, labels. */
export interface WideColumn {
  column: number;
  status?: Status;
  code?: string;
  labels: Readonly<Record<string, string>>;
}

/**
 * Words beside a status in the header of its column: `denied_count`, `Total approved`,
 * `sum(failed)`.
 */
const BESIDE_STATUS =
  /^(?:count|counts|cnt|countif|if|is|total|sum|qty|qtd|qtde|quantity|quantidade|cantidad|anzahl|num|nbr|nb|no|nombre|numero|contagem|recuento|conteo|aantal|n|of|de|per|minute|status|records?|rows|docs|documents|events)$/;

/** Words for counting before or behind a status: `Count of approved`, `CNTD(Denied)`. */
const COUNTS = /^(?:counts?|counta|cnt|cntd|countd|number|contagem|anzahl|recuento|conteo|cantidad|aantal|conteggio)$/;
const BESIDE_COUNTS = /^(?:distinct|unique|distinta|distincts?)$/;

/** The status in the name of a measure that counts it, where names of measures are cells. */
export function statusOfMeasure(text: string): Status | undefined {
  const words = wordsIn(text);
  const rest = words.filter((word) => !COUNTS.test(word) && !BESIDE_STATUS.test(word) && !BESIDE_COUNTS.test(word));
  return words.some((word) => COUNTS.test(word)) && rest.length > 0 ? statusOf(rest.join(' ')) : undefined;
}

/** @param further words of this user's own; `ignore` is no column of counts */
export function wideColumns(
  header: readonly string[],
  free: (column: number) => boolean,
  further?: ReadonlyMap<string, Status | 'ignore'>,
): WideColumn[] {
  const statuses = header.flatMap((name, column): WideColumn[] => {
    const labels = seriesLabels(name);
    const own = further?.get(wordKey(labels.status ?? name));
    if (own === 'ignore') return [];
    const status = own ?? statusOf(labels.status ?? '') ?? statusOf(nameOf(name)) ?? statusOf(wordsOf(name));
    const { status: _, ...rest } = labels;
    return status !== undefined && free(column) && !/[%$€£]/.test(name) ? [{ column, status, labels: rest }] : [];
  });
  const codes = header.flatMap((name, column): WideColumn[] => {
    const { auth_code: label, ...rest } = seriesLabels(name);
    const named = label ?? codeIn(name);
    const code = authCodeOf(named ?? codeBeside(name) ?? name);
    return free(column) && (named !== undefined || isCommonCode(code)) ? [{ column, code, labels: rest }] : [];
  });
  // Numbers before statuses are no codes, unless one of them stands before something else.
  const areNumbers = codes.every(({ column }) => statuses.some((one) => one.column === column));
  const isSure = codes.length > 1 || codes.some(({ column }) => /code/i.test(header[column] ?? ''));
  const plain = withoutSums(statuses, header);
  if (!isSure || areNumbers) return plain;
  return [...plain.filter(({ column }) => !codes.some((one) => one.column === column)), ...codes];
}

/** Without `approved_sum` or `approved`, which may be money, where `approved_qty` is there too. */
function withoutSums(statuses: readonly WideColumn[], header: readonly string[]): WideColumn[] {
  const likelihood = ({ column }: WideColumn): number => {
    const name = header[column] ?? '';
    const words = wordsIn(name);
    if (words.some((word) => /^(?:count|cnt|qty|qtde?|num|n)$/.test(word))) return 3;
    if (/[={]/.test(name) || statusOf(name) !== undefined) return 2;
    return words.includes('sum') ? 0 : words.includes('total') ? 0.5 : 1;
  };
  const isLess = (one: WideColumn) =>
    statuses.some((other) => other.status === one.status && likelihood(other) > likelihood(one));
  return statuses.filter((one) => !isLess(one));
}

/** The code in a header such as `code_51`, `Auth code 00` or `rc05`. */
function codeIn(name: string): string | undefined {
  const [, before = '', code] = /^(.*\D)(\d{1,2})$/.exec(name) ?? [];
  return SYNONYMS.code.includes(headerKey(before)) ? code : undefined;
}

/** The code in a cell: `51`, `"51"` as spreadsheets keep it, `RC51`, `51 - Insufficient funds`. */
export function codeOf(text: string): string {
  const bare = /^="(.*)"$/.exec(text)?.[1] ?? text.replace(/^'/, '').replace(/^(\d{1,2}),0+$/, '$1');
  if (/^\w{1,3}$/.test(bare)) return authCodeOf(bare);
  const meant = /^(\w{1,4})\s?(?:[-–:(]|\s)\s?\p{L}/u.exec(bare)?.[1];
  return authCodeOf(seriesLabels(bare).auth_code ?? codeIn(bare) ?? meant ?? bare);
}

/** Units of what is no code: `15 min`, `24 hours`. */
const UNIT = /^\d+ (?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?|months?)\b/i;

/**
 * The code in a header such as `51_count`, `Sum of code 51`, `51 - Insufficient funds` or the same
 * without a dash.
 */
function codeBeside(name: string): string | undefined {
  const meant = /^"?(\d{1,2})"?(?:\s?[-–:(]\s?| )\p{L}/u.exec(name)?.[1];
  if (meant !== undefined) return UNIT.test(name) ? undefined : meant;
  const words = wordsIn(name).filter((word) => !BESIDE_STATUS.test(word) && !SYNONYMS.code.includes(word));
  const [code = ''] = words;
  return words.length === 1 && /^c?\d{1,2}$/.test(code) ? code.replace('c', '') : undefined;
}

/**
 * Labels as Grafana, Prometheus, Datadog and programs write them in the name of a series:
 * `{status="denied", acquirer="acme"}`, `{status:denied}`, `env:prod,status:denied`,
 * `{"status": "denied"}`.
 */
export const seriesLabels = (name: string): Record<string, string> =>
  /[={]|^\w+:[^,]+,\s?\w+:/.test(name)
    ? Object.fromEntries(
        [...name.matchAll(/([a-zA-Z_]\w*)["']?\s*(?:=~?|:)\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))/g)].map(
          ([, label = '', ...values]) => [label, values.find((value) => value !== undefined) ?? ''],
        ),
      )
    : {};

const nameOf = (name: string): string => name.replace(/\{.*$/, '');
const wordsOf = (name: string): string =>
  wordsIn(name.replace(/(?:\bper |\/)\s?min\b/i, ''))
    .filter((word) => !BESIDE_STATUS.test(word))
    .join(' ');
