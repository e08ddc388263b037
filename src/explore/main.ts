import { ApiError, get, setToken } from '../live/api.ts';
import { byId, fill, h, keepScrollable } from '../live/dom.ts';
import { type Answer, createAnswer } from './answer.ts';
import { type Asked, askedIn, KINDS, pathOf, SPANS, searchOf } from './asked.ts';
import { createEditor } from './editor.ts';

interface Recipe {
  section: string;
  question: string;
  query: string;
  reading: string;
}

let asked = askedIn(location.search);
const show = createAnswer();
const editor = createEditor(byId('editor'), () => void run(), tellMistake);
const until = byId<HTMLInputElement>('until');

/** The keys that help are shown again once the mistake is mended. */
function tellMistake(mistake: string): void {
  byId('mistake').textContent = mistake;
  byId('keys').hidden = mistake !== '';
}

/** One of a few, as segments. */
function choice<T extends string>(id: string, of: readonly T[], key: 'kind' | 'span', words: (one: T) => string): void {
  byId(id).append(
    ...of.map((value) =>
      h(
        'label',
        {},
        h('input', {
          type: 'radio',
          name: id,
          value,
          checked: asked[key] === value,
          onchange: () => void ask({ ...asked, query: editor.text(), [key]: value }),
        }),
        h('span', {}, words(value)),
      ),
    ),
  );
}

/** Puts what is asked on the page. */
function enter(): void {
  if (editor.text() !== asked.query) editor.set(asked.query);
  for (const [name, value] of [
    ['answer-kinds', asked.kind],
    ['spans', asked.span],
  ])
    for (const input of document.querySelectorAll<HTMLInputElement>(`input[name=${name}]`))
      input.checked = input.value === value;
  until.value = asked.until;
  byId('spans').hidden = asked.kind === 'table';
  for (const button of document.querySelectorAll<HTMLElement>('#recipes button'))
    button.setAttribute('aria-pressed', String(button.dataset.query === asked.query));
}

function refused(error: ApiError): void {
  byId('token').hidden = false;
  byId('page').hidden = true;
  byId('token-reason').textContent = error.status === 403 || sessionStorage.length > 0 ? error.message : '';
  byId('token-input').focus();
}

let latest = 0;

/** Answers what is asked now; an answer that comes after a later question is not shown. */
async function answer(): Promise<void> {
  const mine = ++latest;
  byId('answer').setAttribute('aria-busy', 'true');
  const error = byId('error');
  try {
    const found = await get<Answer>(pathOf(asked));
    if (mine !== latest) return;
    error.hidden = true;
    show(found);
  } catch (problem) {
    if (mine !== latest) return;
    if (problem instanceof ApiError && [401, 403].includes(problem.status)) return refused(problem);
    error.textContent = problem instanceof Error ? problem.message : String(problem);
    error.hidden = false;
    for (const id of ['graph', 'rows']) byId(id).hidden = true;
    byId('said').textContent = '';
  } finally {
    if (mine === latest) byId('answer').setAttribute('aria-busy', 'false');
    requestAnimationFrame(keepScrollable);
  }
}

async function ask(next: Asked): Promise<void> {
  asked = next;
  const search = searchOf(asked);
  if (search !== location.search) history.pushState(null, '', `explore${search}`);
  enter();
  if (asked.query !== '') await answer();
}

const run = () => ask({ ...asked, query: editor.text(), until: until.value });

async function listRecipes(): Promise<void> {
  const { recipes } = await get<{ recipes: Recipe[] }>('cookbook');
  const sections = [...new Set(recipes.map(({ section }) => section))];
  fill(byId('recipes'), sections, () =>
    sections.flatMap((section) => [
      h('h3', {}, section),
      h('ul', {}, ...recipes.filter((recipe) => recipe.section === section).map(recipeOf)),
    ]),
  );
  enter();
}

function recipeOf({ question, query, reading }: Recipe): HTMLElement {
  const button = h('button', { type: 'button', 'aria-pressed': 'false' }, question);
  button.dataset.query = query;
  button.addEventListener('click', () => void ask({ ...asked, query }));
  const said = reading.split('`').map((part, i) => (i % 2 === 1 ? h('code', {}, part) : part));
  return h('li', {}, button, h('p', { class: 'reading' }, ...said));
}

function toast(text: string): void {
  const box = byId('toast');
  box.textContent = text;
  box.hidden = false;
  setTimeout(() => {
    box.hidden = true;
  }, 4000);
}

async function share(): Promise<void> {
  await run();
  try {
    await navigator.clipboard.writeText(location.href);
    toast('The link is copied');
  } catch {
    toast('The browser does not let this page copy: the link is in its address bar');
  }
}

choice('answer-kinds', KINDS, 'kind', (kind) => (kind === 'graph' ? 'Graph' : 'Table'));
choice('spans', Object.keys(SPANS) as (keyof typeof SPANS)[], 'span', (span) => span.replace(/(\d+)/, '$1 '));
byId('run').addEventListener('click', () => void run());
byId('now').addEventListener('click', () => void ask({ ...asked, query: editor.text(), until: '' }));
byId('share').addEventListener('click', () => void share());
until.addEventListener('change', () => void run());
addEventListener('popstate', () => {
  asked = askedIn(location.search);
  enter();
  if (asked.query !== '') void answer();
});
addEventListener('resize', () => requestAnimationFrame(keepScrollable));
function open(): void {
  enter();
  if (asked.query !== '') void answer();
  listRecipes().catch((problem: unknown) => {
    if (problem instanceof ApiError && [401, 403].includes(problem.status)) refused(problem);
  });
}
byId<HTMLFormElement>('token-form').addEventListener('submit', (event) => {
  event.preventDefault();
  setToken(byId<HTMLInputElement>('token-input').value.trim());
  byId('token').hidden = true;
  byId('page').hidden = false;
  open();
});
open();
