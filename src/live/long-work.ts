import { capitalised } from '../domain/capitalised.ts';
import { leftInWords } from '../domain/time-left.ts';
import { postStream } from './api.ts';
import { h } from './dom.ts';
import type { UnderWay } from './wire.ts';

export interface WorkOptions<Line> {
  /** Below `api/v1/`. */
  path: string;
  /** Words of the button that starts it, and of what it answers. */
  start: string;
  outcome: string;
  /** What is posted; nothing when left out. */
  body?: () => object | undefined;
  /** False while it cannot be started. */
  ready?: () => boolean;
  /** Words for what is about to be played, in a line that says so; undefined for the others. */
  planOf: (line: Line) => string | undefined;
  /** The result, in a line that holds it; undefined for the others. */
  resultOf: (line: Line) => HTMLElement[] | undefined;
  /** Is told when it starts and when it ends. */
  changed?: () => void;
}

export interface LongWork {
  /** Buttons, progress, what went wrong, and the result. */
  parts: HTMLElement[];
  isRunning: () => boolean;
  draw: () => void;
}

/** How far it is, and how long the rest takes. */
function phaseOf({ progress, what, secondsLeft }: Extract<UnderWay, { progress: number }>): string {
  const left = leftInWords(secondsLeft === undefined ? undefined : 1000 * secondsLeft);
  return `${Math.round(100 * progress)} %, ${what.replace(/: .*/, '')}; ${left}.`;
}

/** A button for work that takes minutes: it says how far it is, and can be cancelled. */
export function createLongWork<Line extends object>(options: WorkOptions<Line | UnderWay>): LongWork {
  const { path, ready = () => true, planOf, resultOf, changed = () => {} } = options;
  const start = h('button', { type: 'button', class: 'primary' }, options.start);
  const cancel = h('button', { type: 'button', hidden: true }, 'Cancel');
  const bar = h('progress', { max: 1, value: 0, 'aria-label': 'Played so far' });
  const phase = h('span', { class: 'muted small' });
  const plan = h('span', { class: 'muted small' });
  const progress = h('div', { hidden: true }, h('p', {}, bar, ' ', phase), h('p', {}, plan));
  const error = h('p', { class: 'error', role: 'alert', hidden: true });
  const result = h('section', { 'aria-label': options.outcome, 'aria-live': 'polite' });
  let running: AbortController | undefined;

  function draw(): void {
    start.disabled = running !== undefined || !ready();
    start.hidden = running !== undefined;
    cancel.hidden = running === undefined;
    progress.hidden = running === undefined;
  }

  /** Draws anew. Whoever has pressed a button that is now gone goes on from the one in its place. */
  function redraw(): void {
    const had = document.activeElement;
    draw();
    changed();
    if (had === start || had === cancel) (running === undefined ? start : cancel).focus();
  }

  /** @returns true where it was the last line of a whole answer */
  function take(line: Line | UnderWay): boolean {
    if ('error' in line) throw new Error(String(line.error));
    const found = resultOf(line);
    if (found !== undefined) result.replaceChildren(...found);
    else if ('progress' in line) {
      bar.value = line.progress as number;
      phase.textContent = phaseOf(line as Extract<UnderWay, { progress: number }>);
    } else plan.textContent = planOf(line) ?? '';
    return found !== undefined;
  }

  async function run(): Promise<void> {
    if (running !== undefined || !ready()) return;
    running = new AbortController();
    const { signal } = running;
    error.hidden = true;
    result.replaceChildren();
    bar.value = 0;
    phase.textContent = '';
    plan.textContent = '';
    redraw();
    let isWhole = false;
    const keep = (line: Line | UnderWay) => {
      isWhole = take(line);
    };
    try {
      await postStream<Line | UnderWay>(path, options.body?.(), keep, signal);
      if (!isWhole) throw new Error('The answer broke off. Try again.');
    } catch (problem) {
      error.textContent = capitalised(problem instanceof Error ? problem.message : String(problem));
      error.hidden = signal.aborted;
      if (signal.aborted) result.replaceChildren(h('p', { class: 'muted' }, 'Cancelled. Nothing was changed.'));
    }
    running = undefined;
    redraw();
  }

  start.addEventListener('click', () => void run());
  cancel.addEventListener('click', () => running?.abort());
  draw();
  return {
    parts: [h('p', { class: 'actions' }, start, cancel), progress, error, result],
    isRunning: () => running !== undefined,
    draw,
  };
}
