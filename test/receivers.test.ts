import { afterAll, beforeAll, expect, test } from 'vitest';
import { type PostedAlert, secretsFor, startAlertmanager, withReceivers } from './support/alertmanager.ts';
import { waitFor } from './support/processes.ts';
import { startMailServer } from './support/receivers.ts';
import { startSlackApi } from './support/slack-api.ts';
import { startStrictServices } from './support/strict-services.ts';

/**
 * The receivers that messages.test.ts does not read, on a real Alertmanager with everything switched
 * on. Each is as strict as the service is.
 */
const TELEGRAM = '/bot12345:telegram-token/sendMessage';
const HOSTILE = '*_<!channel>|x_* @everyone [a](http://x) `y` ~z~ !http://x/y.png! {code}';
const base = 'http://till.example/';

const alert = (service: string, label = 'acme'): PostedAlert => ({
  labels: {
    alertname: 'TransactionsDeniedAboveNormal',
    service,
    severity: 'critical',
    status: 'denied',
    acquirer: label,
  },
  annotations: {
    summary: `denied transactions above normal, acquirer ${label}`,
    description: `120 denied in the last 2 minutes, 4.0 times normal: 30 expected, 45 is the limit.
Since 04:00 UTC, 1 Jan, for 3 min; 60 in the worst minute, 90 beyond normal so far
Carried by acquirer ${label} (100 %), backend_reversed`,
    todo: 'Was something released? Roll it back first.',
    dashboard_url: `${base}?status=denied`,
    silence_url: base,
    runbook_url: `${base}docs/runbook#transactionsdeniedabovenormal`,
  },
});
const ended = (one: PostedAlert): PostedAlert => ({
  ...one,
  startsAt: new Date(Date.now() - 60_000).toISOString(),
  endsAt: new Date(Date.now() - 1000).toISOString(),
});

let services: Awaited<ReturnType<typeof startStrictServices>>;
let slack: Awaited<ReturnType<typeof startSlackApi>>;
let mail: Awaited<ReturnType<typeof startMailServer>>;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;

/** Texts that came about a service, oldest first, as each receiver shows them. */
// biome-ignore lint/suspicious/noExplicitAny: bodies of services, checked where they arrive
const READ: Record<string, (body: any) => string> = {
  '/slack': ({ attachments: [one] }) => `${one.title}\n${one.text}\n${one.fallback}`,
  '/teams': ({ attachments: [one] }) => one.content.body.map(({ text }: { text: string }) => text).join('\n'),
  '/discord': ({ embeds: [one] }) => `${one.title}\n${one.description}`,
  '/mattermost': ({ attachments: [one] }) => `${one.title}\n${one.text}\n${one.fallback}`,
  [TELEGRAM]: ({ text }) => text,
  '/ntfy': ({ title, message }) => `${title.trim()}\n${message}`,
};
const textsOf = (path: string, service: string): string[] =>
  services
    .at(path)
    .map((body) => READ[path]?.(body) ?? '')
    .filter((text) => text.includes(`(${service})`));
const everywhere = (service: string, count: number) => () =>
  Object.keys(READ).every((path) => textsOf(path, service).length >= count);

beforeAll(async () => {
  [services, slack, mail] = [
    await startStrictServices(),
    await startSlackApi(),
    await startMailServer('tillwatch@example.com', 'correct horse'),
  ];
  alertmanager = await startAlertmanager(
    (config, folder) =>
      withReceivers(config, folder, { url: services.url, mailPort: mail.port, slackApi: slack, interval: '600ms' }),
    secretsFor(services.url),
  );
});
afterAll(async () => {
  await alertmanager?.stop();
  await Promise.all([services?.close(), slack?.close(), mail?.close()]);
});

test('each tells an incident and its end, with what to do and where', async () => {
  const one = alert('payments');
  await alertmanager.post([one]);
  const begun = () =>
    everywhere('payments', 1)() && services.issues.length > 0 && services.at('/incidentio').length > 0;
  await waitFor(begun, { what: 'it everywhere' });
  for (const path of Object.keys(READ)) {
    const [text = ''] = textsOf(path, 'payments');
    for (const part of [
      'CRITICAL: denied transactions above normal',
      '4.0 times normal',
      'Since 04:00 UTC',
      'Roll it back',
    ])
      expect(text, path).toContain(part);
  }
  for (const path of ['/discord', '/mattermost', TELEGRAM])
    for (const part of [`${base}?status=denied`, '/docs/runbook#', '?silence='])
      expect(textsOf(path, 'payments')[0], path).toContain(part);
  expect(services.at('/ntfy')[0]).toMatchObject({
    topic: 'payments-oncall',
    click: `${base}?status=denied&acquirer=acme`,
    actions: [{ label: 'What to do' }, { label: 'Silence', url: expect.stringContaining('?silence=') }],
  });
  expect(services.at('/incidentio')[0]).toMatchObject({ status: 'firing', alerts: [{ labels: one.labels }] });
  expect(services.issues[0]).toMatchObject({
    summary: expect.stringContaining('CRITICAL: denied'),
    description: expect.stringContaining(`[Live page|${base}?status=denied&acquirer=acme]`),
    done: false,
  });
  await alertmanager.post([ended(one)]);
  await waitFor(() => everywhere('payments', 2)() && services.issues[0]?.done === true, { what: 'its end everywhere' });
  for (const path of Object.keys(READ)) {
    const [, end = ''] = textsOf(path, 'payments');
    expect(end, path).toContain('RESOLVED: denied');
    expect(end, path).toContain('It was seen for 3 min');
    expect(end, path).not.toMatch(/Roll it back|silence=/);
  }
  expect(services.issues).toHaveLength(1);
  expect(services.issues[0]?.description).toContain('Over. It was seen');
  expect(services.refused).toEqual([]);
});

test('Slack has one message of an incident, edited in place; the next incident is another', async () => {
  const one = alert('edited');
  const calls = () => slack.calls.filter(({ body }) => JSON.stringify(body).includes('(edited)'));
  await alertmanager.post([one]);
  await waitFor(() => calls().length === 1, { what: `the message\n${alertmanager.log().slice(-2000)}` });
  await alertmanager.post([ended(one)]);
  await waitFor(() => calls().length === 2, { what: 'its end' });
  await alertmanager.post([one]);
  await waitFor(() => calls().length === 3, { what: 'the next one' });
  expect(calls().map(({ method, token }) => [method, token])).toEqual([
    ['chat.postMessage', 'Bearer xoxb-token'],
    ['chat.update', 'Bearer xoxb-token'],
    ['chat.postMessage', 'Bearer xoxb-token'],
  ]);
  expect(calls()[1]?.body).toMatchObject({
    channel: 'C0123456789',
    ts: expect.stringMatching(/\.0001$/),
    attachments: [{ color: 'good', title: expect.stringContaining('RESOLVED') }],
  });
});

test('a label is text in each: it formats nothing, links nowhere and calls nobody', async () => {
  await alertmanager.post([alert('hostile', HOSTILE)]);
  const issue = () => services.issues.find(({ summary }) => summary.includes('(hostile)'));
  await waitFor(() => everywhere('hostile', 1)() && issue() !== undefined, { what: 'it everywhere' });
  const texts = Object.keys(READ).map((path): [string, string] => [path, textsOf(path, 'hostile')[0] ?? '']);
  texts.push(['jira', issue()?.description ?? '']);
  for (const [path, text] of texts) {
    // The part of the message that is about the label, without the links that stand below it.
    const about = text
      .split('\n')
      .filter((line) => line.includes('channel') && !line.includes('silence='))
      .join('\n');
    expect(about, path).toContain('channel');
    expect(about, path).not.toMatch(/[<>[\]{}*`~|!@]|(^|\W)_|_(\W|$)/);
    expect(text, path).toContain('backend_reversed');
  }
  expect(services.refused).toEqual([]);
});
