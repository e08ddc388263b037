import { h } from './dom.ts';
import { capital, clock, count, dayText, inUtc, labelText, words } from './format.ts';
import { sliceOf } from './model.ts';
import { STATUSES, type Status, type WhatIfAnswer } from './wire.ts';

type Compared = WhatIfAnswer['alerts'][number];
type Change = Compared['change'];

const nameOf = ({ alertname, labels }: Compared): string => {
  const said = capital(
    alertname
      .replace(/^Transactions/, '')
      .replaceAll(/\B[A-Z]/g, (letter) => ` ${letter}`)
      .toLowerCase(),
  );
  const { status = '' } = labels;
  const known = STATUSES.includes(status as Status) && !said.toLowerCase().startsWith(words(status));
  const where = labelText(sliceOf({ labels }));
  return `${said}${known ? `, ${words(status)}` : ''}${where === '' ? '' : `, ${where}`}`;
};

function list(change: Change, title: string, alerts: readonly Compared[]): HTMLElement {
  const rows = alerts.map((alert) => {
    const { startsAt, observed, expected } = alert;
    const measured = observed === null || expected === null ? '' : `: ${count(observed)}, ${count(expected)} normal`;
    const time = Date.parse(startsAt);
    const at = h('time', { datetime: startsAt, title: inUtc(time) }, `${dayText(time)}, ${clock(time)}`);
    return h('li', {}, at, ` ${nameOf(alert)}${measured}`);
  });
  const text = `${title}: ${alerts.length === 0 ? 'none' : alerts.length}`;
  if (alerts.length === 0) return h('p', {}, text);
  return h('details', { open: change !== 'stays' }, h('summary', {}, text), h('ul', { class: 'small' }, ...rows));
}

/** What becomes of alerts: a list for each kind of change, under the title that is given for it. */
export const comparedAlerts = (alerts: readonly Compared[], titles: Readonly<Record<Change, string>>): HTMLElement[] =>
  (Object.keys(titles) as Change[]).map((change) =>
    list(
      change,
      titles[change],
      alerts.filter((alert) => alert.change === change),
    ),
  );

/** With a decimal. */
export const daysBetween = (from: string, to: string): number =>
  Math.round((Date.parse(to) - Date.parse(from)) / 8_640_000) / 10;

/** `the total and 3 slices`. */
export const slicesInWords = (slices: number): string =>
  slices === 0 ? 'the total' : `the total and ${slices} ${slices === 1 ? 'slice' : 'slices'}`;

/** The tunables that were changed, each on a line. */
export const tunablesInWords = (tunables: WhatIfAnswer['tunables']): string =>
  tunables
    .map(
      ({ tunable, window, now, changed }) =>
        `${tunable}${window === '' ? '' : ` window ${window}`}: ${now} → ${changed}`,
    )
    .join('\n');

/** Says that too many series were there for more than the total; empty where they were not. */
export const onlyTotal = (summed: number | undefined): string =>
  summed === undefined ? '' : ` Only the total was judged: ${count(summed)} series would take too long.`;
