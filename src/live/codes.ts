import { get } from './api.ts';
import { byId, fill, h, icon, sayingWhy, svg } from './dom.ts';
import { count, percent } from './format.ts';
import { currentLabels, keyOf, type Model } from './model.ts';
import { evaluatedAt } from './recent.ts';
import type { AuthCode } from './wire.ts';

/** Usual as a hollow bar, now as a filled one. */
function bars({ share, usualShare }: AuthCode, most: number): SVGElement {
  const width = (value: number | null) => (100 * (value ?? 0)) / most;
  return svg(
    'svg',
    { class: 'share-bar', viewBox: '0 0 100 14', preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    svg('rect', { x: 0, y: 0, width: width(share), height: 8, class: 'now' }),
    svg('rect', { x: 0, y: 10, width: width(usualShare), height: 4, class: 'usual' }),
  );
}

function row(code: AuthCode, most: number): HTMLElement {
  return h(
    'tr',
    { class: code.firing && 'far' },
    h(
      'th',
      { scope: 'row' },
      h('code', {}, code.code),
      h('span', { class: 'meaning' }, code.meaning),
      code.firing && h('span', { class: 'badge alert' }, icon('alert', 14), 'raised'),
    ),
    h('td', { class: 'n' }, count(code.observed)),
    h('td', { class: 'n' }, count(code.expected)),
    h('td', { class: 'n' }, percent(code.share)),
    h('td', { class: 'n' }, percent(code.usualShare)),
    h('td', { class: 'bar-cell' }, bars(code, most) as unknown as HTMLElement),
  );
}

const note = (text: string): HTMLElement => h('tr', {}, h('td', { colspan: 6, class: 'muted wrap' }, text));

function show(codes: readonly AuthCode[], planned: boolean): HTMLElement[] {
  const most = Math.max(0.01, ...codes.map(({ share, usualShare }) => Math.max(share ?? 0, usualShare ?? 0)));
  const rows = codes.map((code) => row(code, most));
  if (planned) return [note('In a planned window auth codes are kept, and not compared.'), ...rows];
  return codes.length === 0 ? [note('No report has carried auth codes in the last five minutes.')] : rows;
}

export function createCodes(): (model: Model) => void {
  let codes: AuthCode[] | undefined;
  let asked = 0;
  let labels = '[]';
  let planned = false;
  function draw(): void {
    const mine = (codes ?? []).filter((code) => keyOf(code.labels) === labels);
    fill(byId('codes-rows'), [codes === undefined, mine, planned], () =>
      codes === undefined ? [] : show(mine, planned),
    );
  }
  async function load(): Promise<void> {
    await sayingWhy(byId('codes-error'), async () => {
      ({ codes } = await get<{ codes: AuthCode[] }>('auth-codes'));
    });
    draw();
  }
  return (model) => {
    labels = keyOf(currentLabels(model));
    planned = model.state?.planned !== undefined;
    const time = model.state === undefined ? 0 : evaluatedAt(model.state);
    if (time > asked && model.link.state === 'live') {
      asked = time;
      void load();
    }
    draw();
  };
}
