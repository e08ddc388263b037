import { h } from './dom.ts';
import { capital, count, normalText, when, words } from './format.ts';
import type { Minute } from './recent.ts';
import type { Band, Status } from './wire.ts';

/** The minutes that a chart shows, of one status. */
export interface Stretch {
  status: Status;
  range: string;
  minutes: readonly Minute[];
}

export type Far = 'above' | 'below';
const SIGN = { above: '▲', below: '▼' } as const;

/** Out of the band on the side that the rules judge: fewer sales, or more of anything else. */
export function farOf(status: Status, { observed, upper, lower }: Band): Far | undefined {
  if (observed === undefined) return undefined;
  if (status === 'approved') return lower !== undefined && observed < lower ? 'below' : undefined;
  return upper !== undefined && observed > upper ? 'above' : undefined;
}

export function readout({ status }: Stretch, minute: Minute | undefined): (HTMLElement | string)[] {
  if (minute === undefined) return ['No minutes in this range.'];
  const far = farOf(status, minute);
  return [
    when(new Date(minute.time * 1000).toISOString()),
    ' ',
    h('b', {}, `${count(minute.observed)} ${words(status)}`),
    `; ${normalText(status, minute)}`,
    far === undefined ? '' : h('span', { class: 'badge alert' }, `${SIGN[far]} ${far} normal`),
  ];
}

/** What a row of the table says of a minute. */
function sideOf(status: Status, minute: Minute): string {
  const far = farOf(status, minute);
  if (far !== undefined) return `${SIGN[far]} ${far}`;
  const isJudged = minute.observed !== undefined && (status === 'approved' ? minute.lower : minute.upper) !== undefined;
  return isJudged ? 'in the band' : 'not judged';
}

/** The picture for those who do not see it: a sentence, and the minutes that matter as a table. */
export function inWords({ status, minutes, range }: Stretch): string {
  const values = minutes.flatMap(({ observed }) => observed ?? []);
  const far = minutes.filter((minute) => farOf(status, minute)).length;
  if (values.length === 0) return `${words(status)}, last ${range}: no values`;
  const span = `from ${count(Math.min(...values))} to ${count(Math.max(...values))} a minute`;
  return `${capital(words(status))}, last ${range}: ${span}; ${far === 0 ? 'no minute' : `${far} ${far === 1 ? 'minute' : 'minutes'}`} out of the normal band`;
}

const MOST_ROWS = 60;

export function table({ status, minutes }: Stretch): HTMLElement[] {
  const rows = minutes
    .filter((minute) => farOf(status, minute))
    .slice(-MOST_ROWS)
    .reverse();
  const listed = rows.length > 0 ? rows : minutes.slice(-15).reverse();
  const caption =
    rows.length > 0
      ? `Minutes out of the band, newest first${rows.length === MOST_ROWS ? ` (the last ${MOST_ROWS})` : ''}`
      : 'No minute is out of the band. The last ones:';
  const cell = (value: number | undefined) => h('td', { class: 'n' }, count(value));
  const line = (minute: Minute) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, when(new Date(minute.time * 1000).toISOString())),
      ...[minute.observed, minute.expected, minute.lower, minute.upper].map(cell),
      h('td', {}, sideOf(status, minute)),
    );
  return [
    h(
      'table',
      {},
      h('caption', {}, caption),
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Minute', 'Observed', 'Normal', 'At least', 'At most', ''].map((name, i) =>
            h('th', { scope: 'col', class: i > 0 && i < 5 && 'n' }, name),
          ),
        ),
      ),
      h('tbody', {}, ...listed.map(line)),
    ),
  ];
}
