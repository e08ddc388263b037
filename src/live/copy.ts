import { tell } from './dialogs.ts';
import { h } from './dom.ts';

/** Copies a text, and says whether the browser let it. */
export async function copy(text: string): Promise<void> {
  const refused = () => tell('The browser did not allow copying; select the text instead.');
  // Browsers have no clipboard for pages that come over plain HTTP from another machine.
  if (navigator.clipboard === undefined) refused();
  else await navigator.clipboard.writeText(text).then(() => tell('Copied.'), refused);
}

export const copyButton = (name: string, text: () => string): HTMLButtonElement =>
  h('button', { type: 'button', class: 'small', onclick: () => void copy(text()) }, name);
