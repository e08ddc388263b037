import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { meaningOf } from '../src/domain/auth-codes.ts';
import { renderConfig } from '../src/stack/render.ts';
import { type PostedAlert, secretsFor, startAlertmanager, withReceivers } from './support/alertmanager.ts';
import { waitFor } from './support/processes.ts';
import { startMailServer } from './support/receivers.ts';
import { type Failure, startStrictServices } from './support/strict-services.ts';
import { tempDir } from './support/temp-dir.ts';

/**
 * What people read, on a real Alertmanager with the shipped configuration, all of it switched on:
 * every message is held to what Slack, Teams and PagerDuty take, and mails are read by a MIME
 * parser. What the alerts say is what the rules say: promtool holds them to the same texts
 * (prometheus/tests/).
 */
type Annotations = Record<string, string>;

function annotationsOf(
  file: string,
  alertname: string,
  time: string,
  labels: Record<string, string> = {},
): Annotations {
  const path = fileURLToPath(new URL(`../prometheus/tests/${file}.test.yml`, import.meta.url));
  type Expectation = { alertname: string; eval_time: string; exp_alerts: Expected[] };
  type Expected = { exp_labels: Record<string, string>; exp_annotations: Annotations };
  const { tests } = parse(readFileSync(path, 'utf8')) as { tests: { alert_rule_test?: Expectation[] }[] };
  const expectations = tests.flatMap((one) => one.alert_rule_test ?? []);
  const found = expectations.find((one) => one.alertname === alertname && one.eval_time === time);
  const annotations = found?.exp_alerts.find(({ exp_labels }) =>
    Object.entries(labels).every(([name, value]) => exp_labels[name] === value),
  )?.exp_annotations;
  if (annotations === undefined) throw new Error(`${file} expects no ${alertname} at ${time}`);
  return annotations;
}

const DENIED = 'TransactionsDeniedAboveNormal';
const first = annotationsOf('messages', DENIED, '242m', { level: 'total' });
const held = annotationsOf('messages', DENIED, '256m', { level: 'total' });
const worse = annotationsOf('messages', DENIED, '260m', { escalation: 'worse' });
const last = annotationsOf('messages', DENIED, '260m', { level: 'total' });
const over = { ...last, description: `Recovering since 04:20 UTC. ${last.description}` };

const alert = (service: string, labels: Record<string, string>, annotations: Annotations): PostedAlert => ({
  labels: { alertname: DENIED, service, severity: 'critical', status: 'denied', ...labels },
  annotations,
});
const ended = (one: PostedAlert, annotations = one.annotations): PostedAlert => ({
  ...one,
  ...(annotations && { annotations }),
  startsAt: new Date(Date.now() - 60_000).toISOString(),
  endsAt: new Date(Date.now() - 1000).toISOString(),
});

let services: Awaited<ReturnType<typeof startStrictServices>>;
let mail: Awaited<ReturnType<typeof startMailServer>>;
let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
const JOURNAL = '/api/v1/alertmanager';
const PATHS = { slack: '/slack', teams: '/teams', pagerduty: '/pagerduty', journal: JOURNAL } as const;

beforeAll(async () => {
  services = await startStrictServices();
  mail = await startMailServer('tillwatch@example.com', 'correct horse');
  alertmanager = await startAlertmanager(
    (config, folder) => withReceivers(config, folder, { url: services.url, mailPort: mail.port, interval: '600ms' }),
    secretsFor(services.url),
  );
});
afterAll(async () => {
  await alertmanager?.stop();
  await Promise.all([services?.close(), mail?.close()]);
});
afterEach(() => {
  expect(services.refused, 'messages that a service refused').toEqual([]);
});

/** Texts of the messages about a service, oldest first, as each channel shows them. */
const slackOf = (service: string) =>
  services
    .at(PATHS.slack)
    .flatMap(({ attachments }) => (attachments[0].title.includes(`(${service})`) ? attachments : []));
const cardsOf = (service: string): string[][] =>
  services
    .at(PATHS.teams)
    .map((card) => card.attachments[0].content.body.map(({ text }: { text: string }) => text))
    .filter(([title]) => title.includes(`(${service})`));
const eventsOf = (service: string) =>
  services.at(PATHS.pagerduty).filter(({ payload }) => payload.component === service);
const mailsOf = (service: string) =>
  mail.mails.map(({ parsed }) => parsed).filter(({ headers }) => headers.subject?.includes(`(${service})`));
const journalOf = (service: string) =>
  services
    .at(PATHS.journal)
    .filter(({ receiver, groupLabels }) => receiver === 'journal' && groupLabels.service === service);

const everywhere = (service: string, count: number) => () =>
  [slackOf, cardsOf, eventsOf, mailsOf, journalOf].every((of) => of(service).length >= count);

test('a code means in messages what it means everywhere else', () => {
  const path = fileURLToPath(new URL('../prometheus/rules/auth-code-meanings.rules.yml', import.meta.url));
  type Rule = { labels: { auth_code: string; meaning: string } };
  const { groups } = parse(readFileSync(path, 'utf8')) as { groups: { rules: Rule[] }[] };
  const entries = groups.flatMap(({ rules }) => rules.map(({ labels }) => [labels.auth_code, labels.meaning]));
  expect(entries).toHaveLength(20);
  expect(entries).toEqual(entries.map(([code = '']) => [code, meaningOf(code)]));
});

test('links lead to where `tillwatch up` runs, unless someone has said where they lead', async () => {
  const prometheusYml = fileURLToPath(new URL('../prometheus/prometheus.yml', import.meta.url));
  const addresses = {
    'tillwatch:8080': '127.0.0.1:18',
    'prometheus:9090': '127.0.0.1:19',
    'alertmanager:9093': '127.0.0.1:20',
  };
  const folder = await tempDir();
  const urlIn = (source: string) => {
    renderConfig(source, join(folder, 'rendered.yml'), addresses);
    return parse(readFileSync(join(folder, 'rendered.yml'), 'utf8')).global.external_labels.tillwatch_url;
  };
  expect(urlIn(prometheusYml)).toBe('http://127.0.0.1:18');
  const edited = join(folder, 'edited.yml');
  writeFileSync(edited, readFileSync(prometheusYml, 'utf8').replace('http://localhost:8080', 'https://till.example'));
  expect(urlIn(edited)).toBe('https://till.example');
});

describe('an incident', () => {
  const service = 'payments';
  const begun = alert(service, {}, first);
  const grown = alert(service, { escalation: 'worse' }, worse);

  beforeAll(async () => {
    await alertmanager.post([begun]);
    await waitFor(everywhere(service, 1), { what: 'the first message everywhere' });
    await alertmanager.post([alert(service, {}, last), grown]);
    await waitFor(everywhere(service, 2), { what: 'that it gets worse everywhere' });
    await alertmanager.post([ended(begun, over), ended(grown)]);
    await waitFor(everywhere(service, 3), { what: 'its end everywhere' });
  }, 60_000);

  test('answers in order, in each channel: what, how far, since when, how bad, what carries it, where, what to do, how to silence', () => {
    const questions = [
      `CRITICAL: ${first.summary} (payments)`,
      '4.0 times normal: 30 expected',
      'Since 04:00 UTC, 1 Jan (4 min after: checkout 2.31)',
      '60 in the worst minute',
      'acquirer Foo (100 %), code 59 suspected fraud (100 %)',
    ];
    const end = ['Roll it back first', '?silence=TransactionsDeniedAboveNormal&'];
    const where = 'http://localhost:8080/?status=denied';
    const [slack] = slackOf(service);
    const [card] = cardsOf(service);
    const [event] = eventsOf(service);
    const [letter] = mailsOf(service);
    const buttons = slack.actions.map(({ url }: { url: string }) => url).join(' ');
    expectInOrder(`${slack.title}\n${slack.text}\n${buttons}`, [...questions, end[0] ?? '', where, end[1] ?? '']);
    expectInOrder(card?.join('\n') ?? '', [...questions, end[0] ?? '', where, end[1] ?? '']);
    expectInOrder(`${event.payload.summary}`, questions.slice(0, 3));
    expectInOrder(event.payload.custom_details.alerts, [...questions.slice(1), where, ...end]);
    expectInOrder(letter?.text ?? '', [...questions, where, ...end]);
    const html = (letter?.html ?? '').replaceAll('&amp;', '&');
    expectInOrder(html.slice(html.indexOf('<body')), [...questions, where, ...end]);
    expect(letter?.headers.subject).toBe(questions[0]);
    expect(journalOf(service)[0].alerts[0].annotations).toEqual(first);
  });

  test('fits what Slack shows without folding, and a phone before it is opened', () => {
    const [slack] = slackOf(service);
    expect(slack.text.trim().split('\n')).toHaveLength(5);
    expect(slack.fallback).toContain('120 denied in the last 2 minutes, 4.0 times normal');
    expect(slack.text.length).toBeLessThan(700);
  });

  test("that gets worse is told once, in the first one's place", async () => {
    expect(slackOf(service).map(({ title }) => title)).toEqual([
      `CRITICAL: ${first.summary} (payments)`,
      `CRITICAL: ${worse.summary} (payments)`,
      `RESOLVED: ${last.summary} (payments)`,
    ]);
    expect(slackOf(service)[1].text).toContain('240 denied in the last 2 minutes, 12.0 times normal');
    expect(journalOf(service)[1].alerts).toHaveLength(1);
    // To the pager it is the same incident, from its first event to its last.
    expect(eventsOf(service).map(({ event_action }) => event_action)).toEqual(['trigger', 'trigger', 'resolve']);
    expect(new Set(eventsOf(service).map(({ dedup_key }) => dedup_key)).size).toBe(1);
    expect(new Set(mailsOf(service).map(({ headers }) => headers.references)).size).toBe(1);
  });

  test('that is over says once how long it lasted and how high it went, and asks for nothing', () => {
    const end =
      'It lasted 20 min, from 04:00 UTC, 1 Jan (01:00 local time); 120 in the worst minute, 1299 beyond normal in all.';
    const texts = [
      slackOf(service)[2].text,
      cardsOf(service)[2]?.[1],
      mailsOf(service)[2]?.text,
      mailsOf(service)[2]?.html,
    ];
    texts.push(eventsOf(service)[2].payload.custom_details.alerts);
    for (const text of texts) {
      expect(text.split(end)).toHaveLength(2);
      expect(text).not.toMatch(/Roll it back|Silence/);
    }
  });

  test('has the mail in a form that every mail program reads', () => {
    for (const { headers, html } of mailsOf(service)) {
      expect(headers).toMatchObject({
        from: expect.stringContaining('@'),
        date: expect.any(String),
        'message-id': expect.any(String),
      });
      expect(html).not.toMatch(/<(script|style|link|img)\b|\{\{|<no value>|ZgotmplZ/);
    }
  });
});

/** Each part stands after the one before it. */
function expectInOrder(text: string, parts: readonly string[]): void {
  const places = parts.map((part) => text.indexOf(part));
  expect(
    places.every((place) => place >= 0),
    `all of ${parts.join(' | ')} in:\n${text}`,
  ).toBe(true);
  expect(
    [...places].sort((a, b) => a - b),
    text,
  ).toEqual(places);
}

test('while it is only held it says that it is recovering, and no number inside the band as if it were above', async () => {
  const service = 'held';
  await alertmanager.post([alert(service, { level: 'total' }, held)]);
  await waitFor(everywhere(service, 1), { what: 'the message everywhere' });
  expect(slackOf(service)[0].text).toMatch(
    /^Recovering since 04:10 UTC\. 40 denied in the last 2 minutes: 40 expected/,
  );
  expect(slackOf(service)[0].text).not.toMatch(/times normal|are lost|Carried by/);
  await alertmanager.post([ended(alert(service, { level: 'total' }, held))]);
  await waitFor(everywhere(service, 2), { what: 'its end everywhere' });
  // As long as the incident, not as long as the alert.
  expect(slackOf(service)[1].text).toContain(
    'Back to normal. It lasted 10 min, from 04:00 UTC, 1 Jan (4 min after: checkout 2.31); 60 in the worst minute',
  );
});

test('what a planned window cuts off is not called normal', async () => {
  const service = 'cut-off';
  const planned = { ...first, description: `A planned window has begun: nothing is judged. ${first.description}` };
  await alertmanager.post([alert(service, { level: 'total' }, first)]);
  await waitFor(everywhere(service, 1), { what: 'the message everywhere' });
  await alertmanager.post([ended(alert(service, { level: 'total' }, planned))]);
  await waitFor(everywhere(service, 2), { what: 'its end everywhere' });
  const said = 'Not judged any more, as a planned window has begun. It lasted 2 min, from 04:00 UTC';
  for (const text of [slackOf(service)[1].text, mailsOf(service)[1]?.text]) {
    expect(text).toContain(said);
    expect(text).not.toContain('Back to normal');
  }
});

test('that the rules did not see recover has the length that was seen, or none', async () => {
  const service = 'unseen';
  const of = (acquirer: string, description = '') =>
    alert(service, { acquirer }, { ...first, description, summary: `${first.summary}, acquirer ${acquirer}` });
  const both = [of('acme', first.description), of('bank', first.description?.replace(', for 2 min;', ', for 0 min;'))];
  await alertmanager.post(both);
  await waitFor(everywhere(service, 1), { what: 'the message everywhere' });
  await alertmanager.post(both.map((one) => ended(one)));
  await waitFor(everywhere(service, 2), { what: 'its end everywhere' });
  const [, { text, title_link }] = slackOf(service);
  expect(title_link).toMatch(/\?status=denied$/);
  expect(text).toMatch(/Over: [^\n]*, acquirer acme\. It was seen for 2 min, from 04:00 UTC, 1 Jan/);
  expect(text).toMatch(/Over: [^\n]*, acquirer bank\. It began 04:00 UTC, 1 Jan/);
  expect(text).not.toContain('0 min');
});

test('the total and its slices are one message: the total, which says what carries it', async () => {
  const service = 'levels';
  const slice = alert(service, { level: 'acquirer', acquirer: 'Foo' }, first);
  const other = alert(service, { level: 'acquirer', acquirer: 'Bar', status: 'failed' }, first);
  await alertmanager.post([slice, other, alert(service, { level: 'total' }, first)]);
  const heldBack = async () =>
    (await alertmanager.alerts([`service="${service}"`])).filter(({ status }) => status.inhibitedBy.length > 0);
  await waitFor(async () => (await heldBack()).length === 1, { what: 'the slice to be held back' });
  expect((await heldBack())[0]?.labels).toMatchObject({ acquirer: 'Foo' });
});

test('several of a group are one message, which names each, and tells of those that end', async () => {
  const service = 'several';
  const of = (acquirer: string) =>
    alert(service, { acquirer }, { ...first, summary: `${first.summary}, acquirer ${acquirer}` });
  await alertmanager.post([of('acme'), of('bank')]);
  await waitFor(everywhere(service, 1), { what: 'one message everywhere' });
  expect(slackOf(service)[0].title).toBe(`CRITICAL: ${first.summary}, acquirer acme and others, 2 in all (several)`);
  expectInOrder(slackOf(service)[0].text, [
    `${first.summary}, acquirer acme:`,
    '120 denied',
    `${first.summary}, acquirer bank:`,
  ]);
  await alertmanager.post([of('acme'), ended(of('bank'), over)]);
  await waitFor(everywhere(service, 2), { what: 'that one has ended, everywhere' });
  expectInOrder(mailsOf(service)[1]?.text ?? '', ['acquirer acme:', 'Back to normal:', 'It lasted 20 min']);
  expect(slackOf(service)[1].title).toContain(`CRITICAL: ${first.summary}, acquirer acme (several)`);
});

test('hundreds in a group break no limit: five are told, the rest is a number, and the journal has them all', async () => {
  const service = 'hundreds';
  const long = '&'.repeat(150);
  const many = Array.from({ length: 400 }, (_, index) =>
    alert(
      service,
      { acquirer: `${index} ${long}`, merchant: `${index} ${long}` },
      { ...worse, summary: `${worse.summary} ${index} ${long}` },
    ),
  );
  await alertmanager.post(many);
  // A busy machine may tell some of them first.
  const more = 'These are 5 of 400 that fire.';
  await waitFor(
    () =>
      slackOf(service).some(({ text }) => text.includes(more)) &&
      mailsOf(service).some(({ text }) => text.includes(more)) &&
      journalOf(service).some(({ alerts }) => alerts.length === 400),
    { what: `all of them everywhere: ${services.refused}` },
  );
  await alertmanager.post(many.map((one) => ended(one)));
  const back = () =>
    new Set(
      journalOf(service)
        .flatMap(({ alerts }) => alerts)
        .filter(({ status }: { status: string }) => status === 'resolved')
        .map(({ labels }: { labels: { acquirer: string } }) => labels.acquirer),
    );
  await waitFor(() => back().size === 400, { what: 'the end of each' });
  await waitFor(() => slackOf(service).some(({ text }) => text.includes('that have ended.')), {
    what: 'the end in chat',
  });
});

test('a label is text: it calls nobody in Slack, is no markup in a mail, and no second header', async () => {
  const service = 'hostile';
  const acquirer = '<!channel> <b>x</b>\r\nBcc: a@b.example " & \\';
  const annotations = {
    ...first,
    summary: `${first.summary}, acquirer ${acquirer}`,
    description: `${first.description} ${acquirer}`,
  };
  await alertmanager.post([alert(service, { acquirer }, annotations)]);
  await waitFor(everywhere(service, 1), { what: 'the message everywhere' });
  const [slack] = slackOf(service);
  expect(`${slack.title}${slack.text}${slack.fallback}`).not.toMatch(/[<>]/);
  const [letter] = mailsOf(service);
  expect(letter?.headers.bcc).toBeUndefined();
  expect(letter?.html).not.toContain('<b>x</b>');
  const silence = new URL(slack.actions.at(-1).url);
  expect(Object.fromEntries(silence.searchParams)).toEqual({ silence: DENIED, acquirer, status: 'denied' });
  expect(letter?.html).toContain(silence.href.replaceAll('&', '&amp;'));
  const look = new URL(slack.title_link);
  expect(Object.fromEntries(look.searchParams)).toEqual({ status: 'denied', acquirer });
  expect(letter?.html).toContain(look.href.replaceAll('&', '&amp;'));
});

test('what follows from a dead feed is not told; it is when the feed is back and it goes on', async () => {
  const service = 'dead';
  const feed = {
    labels: { alertname: 'TransactionsReportsMissing', service, severity: 'critical', feed: 'all' },
    annotations: { ...annotationsOf('feeds', 'TransactionsReportsMissing', '124m'), summary: 'no transaction reports' },
  };
  await alertmanager.post([feed]);
  await waitFor(everywhere(service, 1), { what: 'the dead feed everywhere' });
  expect(slackOf(service)[0].title).toBe('CRITICAL: no transaction reports (dead)');
  await alertmanager.post([feed, alert(service, {}, first)]);
  const held = async () =>
    (await alertmanager.alerts([`service="${service}"`])).find(({ labels }) => labels.status === 'denied');
  await waitFor(async () => (await held())?.status.state === 'suppressed', { what: 'the denials to be held back' });
  await alertmanager.post([ended(feed), alert(service, {}, first)]);
  await waitFor(everywhere(service, 3), { what: 'the end of the one and the other' });
  const titles = slackOf(service).map(({ title }) => title);
  // The end of the one and the other are of two groups, told in any order.
  expect(titles.slice(1).sort()).toEqual([
    `CRITICAL: ${first.summary} (dead)`,
    'RESOLVED: no transaction reports (dead)',
  ]);
});

describe('a receiver that is down', () => {
  const FAILURES: [string, Failure[]][] = [
    ['says 429', [429, 429]],
    ['says 500', [500, 500, 503]],
    ['cuts the line', ['cut', 'cut', 'cut']],
  ];
  test.each(FAILURES)(
    'and %s hears of it when it is back, begin and end, and the others do not wait',
    async (how, failures) => {
      const service = `down ${how}`;
      const one = alert(service, {}, first);
      for (const path of [PATHS.slack, PATHS.teams, PATHS.pagerduty, PATHS.journal]) services.fail(path, ...failures);
      await alertmanager.post([one]);
      await waitFor(() => mailsOf(service).length > 0, { what: 'the mail, which is not down' });
      await waitFor(everywhere(service, 1), {
        what: `the message everywhere\n${alertmanager.log().slice(-2000)}`,
        timeout: 60_000,
      });
      services.fail(PATHS.slack, ...failures);
      services.fail(PATHS.journal, ...failures);
      await alertmanager.post([ended(one)]);
      await waitFor(everywhere(service, 2), {
        what: `its end everywhere\n${alertmanager.log().slice(-2000)}`,
        timeout: 60_000,
      });
      expect(journalOf(service).map(({ status }) => status)).toEqual(['firing', 'resolved']);
      expect(slackOf(service).map(({ color }) => color)).toEqual(['danger', 'good']);
    },
    150_000,
  );
});
