import { post } from './api.ts';
import { tell } from './dialogs.ts';
import { byId, fill, h, icon } from './dom.ts';
import { clock, when } from './format.ts';
import type { Model } from './model.ts';
import { begin, onMessage, onReport, onState, STEPS, type Step, type Story, statusOf } from './story.ts';
import type { DemoKind, JournalEntry, Report, RunningIncident, State } from './wire.ts';

const KEPT = 'tillwatch-story';

const TITLES: Record<Step, [title: string, hint: string]> = {
  posted: ['A bad minute is posted', 'at the turn of the minute'],
  watch: ['The answer says watch', 'with the first bad minute'],
  band: ['It leaves its normal band', 'at the next evaluation, within a minute'],
  alert: ['The answer says alert', 'with the second bad minute'],
  fires: ['The alert fires', 'within 15 seconds of the evidence'],
  message: ['The message goes out', 'a few seconds later, in the journal below'],
  resolved: ['It resolves', 'when it has been normal for five minutes'],
};

/** Incidents that are shown at first; the others are a click away. */
const FIRST = ['denied-spike', 'failed', 'volume-drop', 'feed-dead'];

function kept(): Story | undefined {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') ?? undefined;
  } catch {
    return undefined;
  }
}

function steps(story: Story): HTMLElement[] {
  return STEPS.map((step) => {
    const [title, hint] = TITLES[step];
    const state = statusOf(story, step);
    const done = story.done[step];
    const at = done && when(new Date(done.at).toISOString(), { seconds: true });
    const said = { done: 'Done: ', skipped: 'Left out: ', next: 'Next: ', later: '' }[state];
    return h(
      'li',
      { class: `step ${state}`, 'data-step': step, 'aria-current': state === 'next' && 'step' },
      icon(state === 'done' ? 'ok' : state === 'skipped' ? 'skip' : 'connecting', 22),
      h(
        'div',
        {},
        h('b', {}, h('span', { class: 'hidden-text' }, said), title),
        at ?? '',
        h('span', { class: 'muted' }, done?.text ?? (state === 'skipped' ? 'not in this one' : hint)),
      ),
    );
  });
}

export interface Demo {
  draw(model: Model): void;
  report(report: Report): void;
  notified(entry: JournalEntry): void;
  state(state: State): void;
}

export function createDemo(): Demo {
  let story = kept();
  function tellOn(next: Story): void {
    if (next === story) return;
    const news = STEPS.filter((step) => next.done[step] !== undefined && story?.done[step] === undefined);
    story = next;
    sessionStorage.setItem(KEPT, JSON.stringify(next));
    const said = news.map((step) => `${TITLES[step][0]}: ${next.done[step]?.text}`).join('. ');
    if (said !== '') byId('story-said').textContent = said;
    drawStory(next);
  }

  function drawStory(shown: Story): void {
    const box = byId('story');
    box.hidden = false;
    byId('story-title').textContent = shown.title;
    fill(byId('story-about'), [shown.kind, shown.startedAt], () => [
      'Started ',
      when(new Date(shown.startedAt).toISOString(), { seconds: true }),
      ', ends about ',
      when(shown.until),
      '.',
    ]);
    fill(byId('steps'), shown, () => steps(shown));
  }

  async function start({ kind, title }: DemoKind): Promise<void> {
    try {
      const started = await post<RunningIncident>('demo/incidents', { kind });
      tellOn(begin(started, title));
      tell(`${title} has begun; it ends about ${clock(Date.parse(started.until))}.`);
    } catch (problem) {
      tell(problem instanceof Error ? problem.message : String(problem));
    }
  }

  function button(kind: DemoKind, running: State['demo'] & object): HTMLElement {
    const runs = running.running.find((one) => one.kind === kind.kind);
    return h(
      'button',
      {
        type: 'button',
        class: 'kind',
        'data-kind': kind.kind,
        disabled: runs !== undefined,
        onclick: () => void start(kind),
      },
      h('b', {}, kind.title),
      h('span', {}, runs === undefined ? kind.does : `runs until ${clock(Date.parse(runs.until))}`),
    );
  }

  function kinds(demo: State['demo'] & object): HTMLElement[] {
    const first = demo.kinds.filter(({ kind }) => FIRST.includes(kind));
    const others = demo.kinds.filter(({ kind }) => !FIRST.includes(kind));
    const open = byId('kinds').querySelector('details')?.open === true;
    return [
      h('div', { class: 'kind-grid' }, ...first.map((kind) => button(kind, demo))),
      h(
        'details',
        { open },
        h('summary', {}, `${others.length} other kinds`),
        h('div', { class: 'kind-grid' }, ...others.map((kind) => button(kind, demo))),
      ),
    ];
  }

  return {
    draw({ state, operates }) {
      const demo = (operates && state?.demo) || null;
      byId('demo').hidden = demo === null;
      if (demo === null) return;
      fill(byId('kinds'), demo, () => kinds(demo));
      if (story !== undefined) drawStory(story);
    },
    report: (report) => story && tellOn(onReport(story, report, Date.now())),
    notified: (entry) => story && tellOn(onMessage(story, entry)),
    state(state) {
      if (story !== undefined) tellOn(onState(story, state, Date.now()));
    },
  };
}
