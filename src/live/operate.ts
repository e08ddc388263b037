import { post, remove } from './api.ts';
import { ask, choices, field, nameField, tell } from './dialogs.ts';
import { byId, h } from './dom.ts';
import { clock, words } from './format.ts';
import { nameOf } from './model.ts';
import type { Alert, Incident, Labels, MarkVerdict, Silence } from './wire.ts';

const DURATIONS: [minutes: number, text: string][] = [
  [30, '30 minutes'],
  [60, '1 hour'],
  [120, '2 hours'],
  [240, '4 hours'],
  [720, '12 hours'],
  [1440, '1 day'],
  [10_080, '1 week'],
];

/**
 * Labels that say what is silenced: severity and service only repeat the alert's name, and what
 * gets worse is to be silent too.
 */
const scopeOf = ({
  alertname: _name,
  severity: _severity,
  service: _service,
  escalation: _escalation,
  level: _level,
  ...rest
}: Labels): Labels => rest;

/** Keeps an alert quiet for a time, through Alertmanager's own silences. */
export function askSilence({ labels, annotations }: Pick<Alert, 'labels' | 'annotations'>): void {
  const name = nameOf({ labels, annotations });
  const scope = scopeOf(labels);
  const named = Object.entries(scope).map(([name, value]) => `${words(name)} ${words(value)}`);
  ask({
    title: `Silence: ${name}`,
    about: `No messages${named.length === 0 ? '' : ` about ${named.join(', ')}`} until the time is over. The alert stays on this page.`,
    fields: [
      field(
        'For how long',
        h(
          'select',
          { name: 'minutes' },
          ...DURATIONS.map(([minutes, text]) => h('option', { value: minutes, selected: minutes === 60 }, text)),
        ),
      ),
      field(
        'Why',
        h('input', { name: 'comment', required: true, maxlength: 500, autocomplete: 'off' }),
        'Your colleagues read this: a ticket, a release, what you are waiting for.',
      ),
      nameField(),
    ],
    submit: 'Silence',
    async act({ minutes, comment, by }) {
      const body = { alertname: labels.alertname, labels: scope, minutes: Number(minutes), createdBy: by, comment };
      const { endsAt } = await post<{ id: string; endsAt: string }>('silences', body);
      return `${name}: silent until ${clock(Date.parse(endsAt))}.`;
    },
  });
}

export async function endSilence({ id }: Silence): Promise<void> {
  await remove(`silences/${encodeURIComponent(id)}`).then(
    () => tell('The silence has ended; messages go out again.'),
    (error: unknown) => tell(error instanceof Error ? error.message : String(error)),
  );
}

export const MARKS: Record<MarkVerdict, string> = {
  incident: 'Real incident',
  expected: 'Expected',
  'false-alarm': 'False alarm',
};

const HINTS: Record<MarkVerdict, string> = {
  incident: 'Something was wrong.',
  expected: 'True, but known and planned: a batch, a campaign, a test.',
  'false-alarm': 'Nothing was out of the ordinary.',
};

/** Says what an incident was, for the next tuning of the rules. */
export function askMark(
  incident: Pick<Incident, 'id' | 'mark'> & { name: string },
  done: (incident: Incident) => void,
): void {
  const { id, name, mark } = incident;
  ask({
    title: `What was it? ${name}`,
    about:
      'Marks teach the rules what is normal at this time of day. Under the incidents, better sensitivities are looked for by them.',
    fields: [
      choices(
        'It was',
        'verdict',
        (Object.keys(MARKS) as MarkVerdict[]).map((value) => ({
          value,
          text: MARKS[value],
          hint: HINTS[value],
          checked: value === mark?.verdict,
        })),
      ),
      field(
        'Comment (optional)',
        h('input', { name: 'comment', maxlength: 500, autocomplete: 'off', value: mark?.comment ?? '' }),
      ),
      nameField(),
    ],
    submit: 'Mark',
    async act({ verdict, comment, by }) {
      const body = { verdict, by, ...(comment !== '' && { comment }) };
      const changed = await post<Incident>(`incidents/${encodeURIComponent(id)}/mark`, body);
      done(changed);
      return `Marked as ${MARKS[verdict as MarkVerdict].toLowerCase()}.`;
    },
  });
}

/** Says who looks after an incident, so that nobody else starts on it and the next shift knows. */
export function askAcknowledge(
  { id, name }: Pick<Incident, 'id'> & { name: string },
  done: (incident: Incident) => void,
): void {
  ask({
    title: `Look after: ${name}`,
    about: 'Everybody who opens this page sees who does, until the alert ends.',
    fields: [
      nameField(),
      field('Note for the next shift (optional)', h('input', { name: 'comment', maxlength: 500, autocomplete: 'off' })),
    ],
    submit: 'Acknowledge',
    async act({ by, comment }) {
      done(
        await post<Incident>(`incidents/${encodeURIComponent(id)}/acknowledge`, {
          by,
          ...(comment !== '' && { comment }),
        }),
      );
      return `${name}: yours.`;
    },
  });
}

interface TestOutcome {
  receiver: string;
  kind: string;
  result: string;
  reason: string;
}

/** The button that sends a test message through Alertmanager, and what became of it. */
export function createTestButton(): void {
  const button = byId<HTMLButtonElement>('test-alert');
  const list = byId('test-outcomes');
  async function send(): Promise<void> {
    button.disabled = true;
    list.replaceChildren(h('li', { class: 'muted' }, 'Sent; waiting for what becomes of it, up to 40 s.'));
    try {
      const { outcomes } = await post<{ outcomes: TestOutcome[] }>('test-alert', {});
      list.replaceChildren(
        ...outcomes.map(({ receiver, kind, result, reason }) =>
          h('li', {}, h('b', {}, `${receiver} (${kind}): ${result}`), `, ${reason}`),
        ),
      );
    } catch (error) {
      list.replaceChildren(h('li', { class: 'error' }, error instanceof Error ? error.message : String(error)));
    } finally {
      button.disabled = false;
    }
  }
  button.addEventListener('click', () => void send());
}
