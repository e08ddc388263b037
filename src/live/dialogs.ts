import { byId, h } from './dom.ts';

const NAME = 'tillwatch-name';
/** People tell their name once; it stays in this browser. */
export const nameField = (): HTMLElement =>
  field(
    'Your name',
    h('input', {
      name: 'by',
      required: true,
      maxlength: 100,
      autocomplete: 'name',
      value: localStorage.getItem(NAME) ?? '',
    }),
  );

let ids = 0;
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  ids++;
  control.id = `field-${ids}`;
  if (hint !== undefined) control.setAttribute('aria-describedby', `hint-${ids}`);
  return h(
    'div',
    { class: 'field' },
    h('label', { for: control.id }, label),
    control,
    hint !== undefined && h('p', { class: 'hint', id: `hint-${ids}` }, hint),
  );
}

export interface Choice {
  value: string;
  text: string;
  hint?: string;
  checked?: boolean;
}

/** One of several, as radio buttons: arrow keys move within, Tab moves on. */
export function choices(legend: string, name: string, options: readonly Choice[]): HTMLElement {
  return h(
    'fieldset',
    { class: 'field choices' },
    h('legend', {}, legend),
    ...options.map(({ value, text, hint, checked }) =>
      h(
        'label',
        {},
        h('input', { type: 'radio', name, value, required: true, checked }),
        h('span', {}, text, hint !== undefined && h('small', {}, hint)),
      ),
    ),
  );
}

export interface Question {
  title: string;
  about: string;
  fields: HTMLElement[];
  submit: string;
  /**
   * Does it. If it throws, the error is shown and the answers stay.
   * @returns the text to show once it is done
   */
  act(answers: Record<string, string>): Promise<string>;
}

/** A short message at the foot of the page; also spoken. */
export function tell(text: string): void {
  const toast = byId('toast');
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(Number(toast.dataset.timer));
  toast.dataset.timer = String(setTimeout(() => (toast.hidden = true), 6000));
}

function answersOf(form: HTMLFormElement): Record<string, string> {
  const answers = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value).trim()]));
  if (answers.by) localStorage.setItem(NAME, answers.by);
  return answers;
}

/** Asks in a modal dialog; Escape and Cancel close it, and focus goes back to where it was. */
export function ask({ title, about, fields, submit, act }: Question): void {
  const error = h('p', { class: 'error', role: 'alert', hidden: true });
  const send = h('button', { type: 'submit', class: 'primary' }, submit);
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const form = h('form', {}, ...fields, error, h('div', { class: 'actions' }, cancel, send));
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'dialog-title', onclose: () => dialog.remove() },
    h('h2', { id: 'dialog-title' }, title),
    about !== '' && h('p', { class: 'muted' }, about),
    form,
  );
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    send.disabled = true;
    try {
      tell(await act(answersOf(form)));
      dialog.close();
    } catch (problem) {
      error.textContent = problem instanceof Error ? problem.message : String(problem);
      error.hidden = false;
    }
    send.disabled = false;
  });
  document.body.append(dialog);
  dialog.showModal();
}
