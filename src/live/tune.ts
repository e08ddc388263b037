import { comparedAlerts, daysBetween, onlyTotal, slicesInWords, tunablesInWords } from './compared-alerts.ts';
import { copyButton } from './copy.ts';
import { byId, h } from './dom.ts';
import { count } from './format.ts';
import { createLongWork } from './long-work.ts';
import type { TuneAnswer, TuneLine } from './wire.ts';

type Plan = Extract<TuneLine, { plays: object }>['plays'];
type Proposal = NonNullable<TuneAnswer['proposal']>;
type Score = TuneAnswer['before'];

const CHANGES = { gone: 'Disappears', new: 'Appears', stays: 'Comes all the same' };

const marksOf = ({ incidents, others }: Plan['marks']): string =>
  `${incidents} marked as real, ${others} as expected or a false alarm`;

function planOf({ from, to, learnedFrom, slices, searched, marks }: Plan): string {
  const [days, learned] = [daysBetween(from, to), daysBetween(learnedFrom, from)].map(count);
  const rest = searched < slices ? `; what does best is checked with ${slicesInWords(slices)}` : '';
  return (
    `By ${marksOf(marks)}. Plays ${days} days, and ${learned} days before to learn from, several times: ` +
    `${slicesInWords(searched)}${rest}. It takes one core; leaving the page ends it.`
  );
}

const ROWS: [name: string, of: (score: Score) => string][] = [
  ['Incidents found', ({ detected, incidents }) => `${detected} of ${incidents}`],
  ['False alarms', ({ falseAlarms }) => count(falseAlarms)],
  ['Median delay', ({ delayMinutes }) => (delayMinutes === null ? '–' : `${count(delayMinutes)} min`)],
];

function scores(before: Score, after: Score | undefined): HTMLElement {
  const head = ['', 'Before', ...(after === undefined ? [] : ['After'])];
  return h(
    'table',
    { class: 'compact before-after' },
    h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col', class: text && 'n' }, text)))),
    h(
      'tbody',
      {},
      ...ROWS.map(([name, of]) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, name),
          h('td', { class: 'n' }, of(before)),
          after !== undefined && h('td', { class: 'n' }, of(after)),
        ),
      ),
    ),
  );
}

function howTo({ change, tunables }: Proposal): HTMLElement[] {
  if (change === undefined)
    return [
      h('p', {}, 'Nothing was changed. Your file of tunables is not laid out as the shipped one: edit these numbers.'),
      h('pre', {}, tunablesInWords(tunables)),
    ];
  const { isHere, diff, command } = change;
  return [
    h(
      'p',
      {},
      'Nothing was changed. Read it; to have it so, save it as ',
      h('code', {}, 'tune.diff'),
      ' where the rules are and apply it:',
    ),
    !isHere &&
      h(
        'p',
        { class: 'muted small' },
        'Prometheus has that file on another machine. This is the shipped one with the numbers in force.',
      ),
    h('pre', { 'aria-label': 'The change as a diff' }, diff),
    h(
      'p',
      { class: 'actions' },
      copyButton('Copy the diff', () => diff),
    ),
    h('pre', { 'aria-label': 'The command that applies it' }, command),
    h(
      'p',
      { class: 'muted small' },
      h('code', {}, 'tillwatch up'),
      ' has an edited rule in force half a minute later; any other Prometheus has to be reloaded.',
    ),
  ].filter((part) => part !== false);
}

function outcome(result: TuneAnswer): HTMLElement[] {
  const { before, proposal, from, to, marks, trials, summed } = result;
  const tried =
    trials === 1
      ? 'Nothing is left to gain, so nothing else was tried.'
      : `${trials - 1} ${trials === 2 ? 'choice was' : 'choices were'} tried.`;
  const about = h(
    'p',
    { class: 'muted small' },
    `${count(daysBetween(from, to))} days, by ${marksOf(marks)}. Alerts that came and that nobody marked count neither way; a new one counts as a false alarm. ` +
      `The delay is counted from five minutes before each marked alert.${onlyTotal(summed)}`,
  );
  if (proposal === undefined)
    return [
      h('p', {}, h('b', {}, 'Nothing does better: leave the sensitivities as they are.'), ` ${tried}`),
      scores(before, undefined),
      about,
    ];
  return [
    h('p', {}, h('b', {}, 'These sensitivities would have done better.'), ` ${tried}`),
    scores(before, proposal.after),
    ...comparedAlerts(proposal.alerts, CHANGES),
    about,
    ...howTo(proposal),
  ];
}

/** The button that looks for better sensitivities by the marks, and what it proposes. */
export function createTune(): void {
  const work = createLongWork<TuneLine>({
    path: 'tune',
    start: 'Look for better sensitivities',
    outcome: 'What is proposed',
    planOf: (line) => ('plays' in line ? planOf(line.plays) : undefined),
    resultOf: (line) => ('result' in line ? outcome(line.result) : undefined),
  });
  byId('tune').append(
    h(
      'p',
      { class: 'muted' },
      'Plays the last days again with wider and narrower bands, and proposes those that would have found more of what you marked as real, or with fewer false alarms. ' +
        'It needs three marked alerts, a real incident among them.',
    ),
    ...work.parts,
  );
}
