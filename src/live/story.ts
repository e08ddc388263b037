import { farOf } from './band-words.ts';
import { capital, count, words } from './format.ts';
import { firingAlerts, nameOf } from './model.ts';
import { evaluatedAt } from './recent.ts';
import type { JournalEntry, Report, RunningIncident, State } from './wire.ts';

export const STEPS = ['posted', 'watch', 'band', 'alert', 'fires', 'message', 'resolved'] as const;
export type Step = (typeof STEPS)[number];

/**
 * The steps of an incident that was started here, in milliseconds since the epoch. They are kept
 * over a reload.
 */
export interface Story {
  kind: string;
  title: string;
  /** By the server's clock, as the times of what follows are. */
  startedAt: number;
  until: string;
  alerts: string[];
  done: Partial<Record<Step, { at: number; text: string }>>;
}

export const begin = ({ kind, since, until }: RunningIncident, title: string): Story => ({
  kind,
  title,
  startedAt: Date.parse(since),
  until,
  alerts: [],
  done: {},
});

/** The story with a step ticked; the same story where it was before. */
function tick(story: Story, step: Step, at: number, text: string): Story {
  return story.done[step] === undefined ? { ...story, done: { ...story.done, [step]: { at, text } } } : story;
}

/** Reports of the minute in which it began belong to it. */
const begins = ({ startedAt }: Story): number => Math.floor(startedAt / 60_000) * 60_000;

/** The first minute may be told in parts: its counts grow. */
function withCounts(story: Story, { timestamp }: Report, text: string): Story {
  const { posted } = story.done;
  if (posted === undefined || posted.text === text || Date.parse(timestamp) !== begins(story)) return story;
  return { ...story, done: { ...story.done, posted: { ...posted, text } } };
}

export function onReport(story: Story, report: Report, now: number): Story {
  if (Date.parse(report.timestamp) < begins(story)) return story;
  const said = Object.entries(report.counts)
    .filter(([status, value]) => value > 0 && ['approved', 'denied', 'failed', 'reversed'].includes(status))
    .map(([status, value]) => `${count(value)} ${words(status)}`);
  const text = said.join(', ') || 'no transactions';
  const posted = withCounts(tick(story, 'posted', now, text), report, text);
  return report.recommendation === undefined ? posted : onAnswer(posted, report.recommendation, now);
}

function onAnswer(story: Story, answer: string, now: number): Story {
  if (answer === 'watch') return tick(story, 'watch', now, 'one minute alone is no alert');
  return answer === 'alert' ? tick(story, 'alert', now, 'the minute before was out as well') : story;
}

function onBand(story: Story, state: State): Story {
  const time = evaluatedAt(state) * 1000;
  const out = state.anomalies.find(({ status, lastMinute }) => farOf(status, lastMinute) !== undefined);
  if (out === undefined || time < story.startedAt) return story;
  const { observed, expected } = out.lastMinute;
  return tick(story, 'band', time, `${words(out.status)} ${count(observed)}, normal ${count(expected)}`);
}

/** A warning may fire first: what follows it is named as well. */
function withAlerts(story: Story): Story {
  const { fires } = story.done;
  const text = story.alerts.join('; ');
  if (fires === undefined || fires.text === text) return story;
  return { ...story, done: { ...story.done, fires: { ...fires, text } } };
}

/** Alerts of this story are those that became active after its start. */
export function onState(story: Story, state: State, now: number): Story {
  const firing = firingAlerts(state);
  const mine = firing.filter(({ activeAt }) => Date.parse(activeAt ?? '') >= story.startedAt);
  const names = mine.map(nameOf);
  const known = { ...story, alerts: [...new Set([...story.alerts, ...names])] };
  const banded = onBand(known, state);
  const fired = names[0] === undefined ? banded : withAlerts(tick(banded, 'fires', now, names.join('; ')));
  const still = firing.some((alert) => known.alerts.includes(nameOf(alert)));
  const over = fired.done.fires !== undefined && !still && state.path.prometheus.ok;
  return over ? tick(fired, 'resolved', now, 'nothing of it fires any more') : fired;
}

export function onMessage(story: Story, { alerts, status, receivedAt, commonAnnotations }: JournalEntry): Story {
  const mine = alerts.some(({ startsAt }) => Date.parse(startsAt) >= story.startedAt);
  if (!mine || status !== 'firing') return story;
  const text = commonAnnotations.summary ?? alerts[0]?.annotations.summary ?? '';
  return tick(story, 'message', Date.parse(receivedAt), capital(text));
}

/**
 * done, skipped (a later one is done: the feed that dies posts no minute), next, or to come. An
 * answer comes before the evaluation that leaves the band, and an alert may fire before the answer
 * that says so: these are waited for.
 */
export function statusOf({ done }: Story, step: Step): 'done' | 'skipped' | 'next' | 'later' {
  if (done[step] !== undefined) return 'done';
  const at = STEPS.indexOf(step);
  const reached = STEPS.findLastIndex((one) => done[one] !== undefined);
  const waitedFor = step === 'message' || step === 'alert' || (step === 'band' && done.fires === undefined);
  if (at < reached) return waitedFor ? 'next' : 'skipped';
  return at === reached + 1 ? 'next' : 'later';
}
