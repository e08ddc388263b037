import { byId, h } from './dom.ts';
import { readIn, readsUtc, zone } from './format.ts';

/** Local time or UTC, as the reader chooses. The page is read anew, so that nothing mixes both. */
export function zoneChoice(): void {
  const box = byId('zone');
  // Where both are the same there is nothing to choose.
  box.hidden = zone() === 'UTC';
  const choice = (name: 'local' | 'UTC', text: string) =>
    h(
      'label',
      {},
      h('input', {
        type: 'radio',
        name: 'zone',
        checked: readsUtc() === (name === 'UTC'),
        onchange: () => {
          readIn(name);
          location.reload();
        },
      }),
      h('span', {}, text),
    );
  box.append(choice('local', `Local, ${zone()}`), choice('UTC', 'UTC'));
}
