import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { lintKeymap, setDiagnosticsEffect } from '@codemirror/lint';
import { Prec } from '@codemirror/state';
import { EditorView, keymap, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { PromQLExtension } from '@prometheus-io/codemirror-promql';
import { authorization } from '../live/api.ts';

/** Colours of style.css, which reach into the shadow root. */
const THEME = EditorView.theme({
  '&': { color: 'var(--ink)', backgroundColor: 'var(--surface)', fontSize: '0.875rem', borderRadius: '0.375rem' },
  '&.cm-focused': { outline: '3px solid var(--accent)', outlineOffset: '2px' },
  '.cm-content': { caretColor: 'var(--ink)', padding: '0.625rem 0', minHeight: '4.5rem' },
  '.cm-line': { padding: '0 0.75rem' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-placeholder': { color: 'var(--muted)' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--band)' },
  '.cm-tooltip': { color: 'var(--ink)', backgroundColor: 'var(--surface)', border: '1px solid var(--line)' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '0.25rem 0.5rem' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.85' },
  '.cm-diagnostic-error': { borderLeft: '4px solid var(--alert)', color: 'var(--ink)' },
});

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier], color: 'var(--series-3)' },
  { tag: [tags.function(tags.variableName), tags.operatorKeyword], color: 'var(--accent)' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--ok)' },
  { tag: [tags.number, tags.unit], color: 'var(--series-2)' },
  { tag: tags.comment, color: 'var(--muted)', fontStyle: 'italic' },
  { tag: tags.invalid, color: 'var(--alert)' },
]);

/**
 * Text that takes the place of a selection goes by the editor's own state. Chromium would carry
 * the colours of the old text over as style attributes, which the content security policy refuses.
 */
const REPLACING = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data, inputType } = event;
    const { main } = view.state.selection;
    if (inputType !== 'insertText' || data === null || main.empty) return false;
    const insert = () =>
      view.state.update(view.state.replaceSelection(data), { userEvent: 'input.type', scrollIntoView: true });
    const handlers = view.state.facet(EditorView.inputHandler);
    if (!handlers.some((handle) => handle(view, main.from, main.to, data, insert))) view.dispatch(insert());
    event.preventDefault();
    return true;
  },
});

/** Tells of the first mistake that the editor has found, as soon as it is another. */
const telling = (told: (mistake: string) => void) =>
  EditorView.updateListener.of(({ transactions }) => {
    for (const { effects } of transactions)
      for (const effect of effects) if (effect.is(setDiagnosticsEffect)) told(effect.value[0]?.message ?? '');
  });

/** Completion offers names of the last 12 hours; milliseconds. */
const LOOKBACK = 12 * 3600_000;

function language(refused: (error: Error) => void) {
  const promql = new PromQLExtension();
  promql.setComplete({
    remote: {
      apiPrefix: 'api/v1',
      httpMethod: 'GET',
      lookbackInterval: LOOKBACK,
      fetchFn: (input, init) => fetch(input, { ...init, headers: authorization() }),
      httpErrorHandler: refused,
    },
  });
  return promql.asExtension();
}

export interface Editor {
  text(): string;
  set(text: string): void;
  focus(): void;
}

/**
 * An editor of PromQL that completes and shows errors as one types. It stands in a shadow root:
 * there its styles are sheets of their own, which a strict content security policy allows, where
 * elements of style would need a nonce.
 * @param told is given the first mistake in the text, or an empty text where there is none
 */
export function createEditor(box: HTMLElement, run: () => void, told: (mistake: string) => void): Editor {
  const root = box.attachShadow({ mode: 'open' });
  const place = root.appendChild(document.createElement('div'));
  const running = {
    key: 'Mod-Enter',
    run: () => {
      run();
      return true;
    },
  };
  const view = new EditorView({
    parent: place,
    root,
    extensions: [
      Prec.highest(keymap.of([running, { ...running, key: 'Shift-Enter' }])),
      history(),
      bracketMatching(),
      closeBrackets(),
      autocompletion(),
      language(() => {}),
      REPLACING,
      telling(told),
      keymap.of([...completionKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
      syntaxHighlighting(COLOURS),
      placeholder('status:transactions:increase1m{level="total", status="denied"}'),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': 'PromQL' }),
      THEME,
    ],
  });
  return {
    text: () => view.state.doc.toString().trim(),
    set: (text) => view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } }),
    focus: () => view.focus(),
  };
}
