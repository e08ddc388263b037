import { createAccess } from './access.ts';
import { chartStatus, createAlerts, hasChart } from './alerts.ts';
import { get } from './api.ts';
import { createBandChart, RANGES, type Range } from './band-chart.ts';
import { createDemo } from './demo.ts';
import { byId, keepScrollable, whenSeen } from './dom.ts';
import { createFirst } from './first.ts';
import { createHero, tick, titleTab } from './hero.ts';
import { createLastHour } from './last-hour.ts';
import { createLogs } from './logs.ts';
import {
  createStore,
  currentLabels,
  firingAlerts,
  keyOf,
  type Model,
  nothingCounted,
  shownAnomalies,
  sliceOf,
  upsert,
  withReport,
} from './model.ts';
import { createTestButton } from './operate.ts';
import { createRecent, evaluatedAt } from './recent.ts';
import { createSlices } from './slices.ts';
import { keepStream, type ServerEvent } from './stream.ts';
import { createTiles } from './tiles.ts';
import { describe } from './verdict.ts';
import {
  type Alert,
  type Change,
  type Incident,
  type JournalEntry,
  type Labels,
  type Report,
  type Silence,
  STATUSES,
  type State,
  type Status,
} from './wire.ts';

/** Entries that the lists keep. */
const KEEP = 30;

const asked = new URLSearchParams(location.search);
const chosen = { status: asked.get('status') as Status, range: asked.get('range') as Range };
/**
 * Parameters of a link that are no dimensions: a status, a time range, or what is to be silenced.
 */
const NO_DIMENSIONS = ['status', 'range', 'silence', 'level', 'auth_code', 'escalation', 'direction', 'window'];
const slice = Object.fromEntries([...asked].filter(([name]) => !NO_DIMENSIONS.includes(name)));
const range: Range = chosen.range in RANGES ? chosen.range : '3h';

const model: Model = {
  link: { state: 'connecting' },
  stateAt: 0,
  status: STATUSES.includes(chosen.status) ? chosen.status : 'denied',
  labels: keyOf(slice),
};

/** The address holds what is looked at, so that a link leads there and a reload stays there. */
function remember(name: string, value: string): void {
  const url = new URL(location.href);
  url.searchParams.set(name, value);
  history.replaceState(null, '', url);
}

const store = createStore(model, draw);
const stream = keepStream({ onOpen, onEvent, onLost, onRefused });
const retry = () => stream.retry();
const recent = createRecent(() => store.change({}));
const demo = createDemo();

/** True once the reader has picked what the chart shows, here or in the link that led here. */
let picked = STATUSES.includes(chosen.status) || Object.keys(slice).length > 0;

function choose(status: Status): void {
  picked = true;
  remember('status', status);
  store.change({ status });
}

function chooseLabels(labels: Labels): void {
  const url = new URL(location.href);
  for (const name of Object.keys(currentLabels(model))) url.searchParams.delete(name);
  for (const [name, value] of Object.entries(labels)) url.searchParams.set(name, value);
  history.replaceState(null, '', url);
  store.change({ labels: keyOf(labels) });
  if (model.state !== undefined) recent.take(model.state, model.status, labels);
}

/** Leads from a slice to its graph. */
function look(labels: Labels): void {
  picked = true;
  chooseLabels(labels);
  byId('band').scrollIntoView({ block: 'start' });
  byId('band-chart').focus({ preventScroll: true });
}

/** Leads from an alert to its graph. */
function show(alert: Alert): void {
  choose(chartStatus(alert) as Status);
  look(sliceOf(alert));
}

/**
 * Until the reader picks a status, the chart shows the gravest alert's. Once the alert has ended it
 * stays where it is.
 */
function follow(state: State): void {
  const [first] = firingAlerts(state).filter(hasChart);
  if (picked || first === undefined) return;
  store.change({ status: chartStatus(first) as Status, labels: keyOf(sliceOf(first)) });
}

const marked = (incident: Incident) => store.change({ incidents: upsert(model.incidents, incident) });

const hasCounts = ({ state }: Model) => shownAnomalies(state).length > 0;

const isJudging = (model: Model) => hasCounts(model) && model.state?.path.prometheus.ok === true;

/** A panel far down: its code and what it shows are fetched when it is about to be seen. */
function later(id: string, applies: typeof hasCounts, load: () => Promise<(model: Model) => void>) {
  let panel: ((model: Model) => void) | undefined;
  whenSeen(byId(id), async () => {
    panel = await load();
    panel(model);
  });
  return (current: Model) => {
    // What was read stays while Prometheus is gone; without it there is nothing to read.
    const readable = panel !== undefined || current.state?.path.prometheus.ok === true;
    byId(id).hidden = !readable || !applies(current);
    if (!byId(id).hidden) panel?.(current);
  };
}

const panels: ((model: Model) => void)[] = [
  createAccess(retry),
  createHero(retry),
  createAlerts({ show, marked }),
  demo.draw,
  createTiles(recent, { choose, chooseLabels }),
  createSlices(look),
  createBandChart({ range, ranged: (next) => remember('range', next), loaded: recent.seed }),
  createLastHour(),
  later('days', hasCounts, async () => (await import('./days.ts')).createDays()),
  later('hours', hasCounts, async () => (await import('./hours.ts')).createHours()),
  later('codes', isJudging, async () => (await import('./codes.ts')).createCodes()),
  later('past', hasCounts, async () => (await import('./past.ts')).createPast()),
  createLogs(marked),
];
createFirst();
byId('what-if').addEventListener(
  'toggle',
  async () => panels.push((await import('./what-if.ts')).createWhatIf(() => model.status)),
  { once: true },
);
byId('tune').addEventListener('toggle', async () => (await import('./tune.ts')).createTune(), { once: true });
createTestButton();

/** Before the first count its zeros are no counts that arrived: they are not shown. */
function withoutZeros(current: Model): Model {
  const { state } = current;
  const isEmpty = state !== undefined && describe(current).tone === 'empty';
  return isEmpty ? { ...current, state: { ...state, anomalies: [] } } : current;
}

function draw(current: Model): void {
  const shown = withoutZeros(current);
  for (const panel of panels) panel(shown);
  // No link leads to what is not there.
  for (const anchor of document.querySelectorAll<HTMLAnchorElement>('.top nav a[href^="#"]'))
    anchor.hidden = byId(anchor.hash.slice(1)).hidden;
}

/** Like `store.change`, and the tab's title at once: a tab in the background draws nothing else. */
function change(patch: Partial<Model>): void {
  store.change(patch);
  titleTab(model);
}

/** A list that could not be read stays as it was: what is wrong is said elsewhere, by the state. */
async function refresh<T>(path: string, take: (answer: T) => Partial<Model>): Promise<void> {
  const answer = await get<T>(path).catch(() => undefined);
  if (answer !== undefined) change(take(answer));
}
const refreshIncidents = () =>
  refresh<{ incidents: Incident[] }>(`incidents?limit=${KEEP}`, ({ incidents }) => ({ incidents }));

const refreshAccess = () =>
  refresh<{ roles: string[] }>('access', ({ roles }) => ({ operates: roles.includes('operate') }));
const refreshChanges = () => refresh<{ changes: Change[] }>('changes', ({ changes }) => ({ changes }));
const refreshReports = () => refresh<{ reports: Report[] }>('transactions?limit=15', ({ reports }) => ({ reports }));
const refreshJournal = () => refresh<{ journal: JournalEntry[] }>('alerts?limit=15', ({ journal }) => ({ journal }));
function refreshLogs(): void {
  void refreshReports();
  void refreshJournal();
}
whenSeen(byId('logs'), refreshLogs);

/** Through Alertmanager: asked for once it answers, and told of by events from then on. */
const refreshSilences = () => refresh<{ silences: Silence[] }>('silences', ({ silences }) => ({ silences }));

function onOpen(): void {
  change({ link: { state: 'live' } });
  if (model.journal !== undefined) refreshLogs();
  void refreshAccess();
  void refreshIncidents();
  void refreshChanges();
}

function onLost(error: Error, again: number): void {
  const since = model.link.state === 'lost' ? model.link.since : Date.now();
  change({ link: { state: 'lost', since, again, reason: error.message } });
}

function onRefused(error: Error & { status: number }): void {
  change({ link: { state: 'refused', status: error.status, reason: error.message } });
}

const idsOf = (state: State | undefined) => new Set(state?.alerts.flatMap(({ incidentId }) => incidentId ?? []));

function onState(state: State): void {
  const before = model.state && describe(model).tone;
  const incidentsBefore = idsOf(model.state);
  change({ state, stateAt: Date.now() });
  follow(state);
  if (before !== undefined && before !== describe(model).tone) change({ verdictSince: evaluatedAt(state) * 1000 });
  if (state.path.alertmanager.ok && model.silences === undefined) void refreshSilences();
  // The state does not say whether there never was a report, or only none that is evaluated yet.
  if (nothingCounted(state) && model.reports === undefined) void refreshReports();
  // No message tells of one that is silenced from its begin. One that fires no longer has ended
  // without a message, or is about to.
  const firing = idsOf(state);
  const begun = before !== undefined && [...firing].some((id) => !incidentsBefore.has(id));
  if (begun || model.incidents?.some(({ id, endsAt }) => endsAt === null && !firing.has(id))) void refreshIncidents();
  recent.take(state, model.status, currentLabels(model));
  demo.state(state);
}

function onReport(report: Report): void {
  change({ reports: withReport(model.reports, report).slice(0, KEEP) });
  demo.report(report);
}

function onNotification(entry: JournalEntry): void {
  change({ journal: [entry, ...(model.journal ?? [])].slice(0, KEEP) });
  demo.notified(entry);
  void refreshIncidents();
}

function onEvent({ event, data }: ServerEvent): void {
  const value = JSON.parse(data);
  if (event === 'state') onState(value);
  else if (event === 'report') onReport(value);
  else if (event === 'notification') onNotification(value);
  else if (event === 'marks') marked(value);
  else if (event === 'change') void refreshChanges();
  else if (event === 'silences') change({ silences: value.silences });
}

/** Ages move each second while somebody can see them. */
let clock: ReturnType<typeof setInterval> | undefined;
function seen(): void {
  clearInterval(clock);
  if (document.hidden) return;
  clock = setInterval(tick, 1000);
  tick();
  if (model.link.state === 'lost') retry();
}
document.addEventListener('visibilitychange', seen);
let looking = 0;
/** Once for any number of changes. */
function looked(): void {
  cancelAnimationFrame(looking);
  looking = requestAnimationFrame(keepScrollable);
}
new MutationObserver(looked).observe(byId('page'), {
  childList: true,
  subtree: true,
  attributeFilter: ['hidden', 'open'],
});
addEventListener('resize', looked);
seen();
draw(model);
