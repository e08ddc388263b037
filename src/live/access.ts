import { setToken } from './api.ts';
import { byId } from './dom.ts';
import type { Model } from './model.ts';

/** Asks for a token when the service does, once for this tab. */
export function createAccess(retry: () => void): (model: Model) => void {
  const form = byId<HTMLFormElement>('token-form');
  const input = byId<HTMLInputElement>('token-input');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    setToken(input.value.trim());
    input.value = '';
    retry();
  });
  return ({ link, operates }) => {
    // What this reader would be refused is not offered (style.css).
    byId('page').classList.toggle('watches', operates !== true);
    byId('read-only').hidden = operates !== false;
    const refused = link.state === 'refused';
    const shown = !byId('token').hidden;
    byId('token').hidden = !refused;
    byId('page').hidden = refused;
    if (!refused) return;
    byId('token-reason').textContent = link.status === 403 ? link.reason : sessionStorage.length > 0 ? link.reason : '';
    if (!shown) input.focus();
  };
}
