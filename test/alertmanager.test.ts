import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PostedAlert, secretsFor, startAlertmanager, withReceivers } from './support/alertmanager.ts';
import { waitFor } from './support/processes.ts';
import { startHttpReceiver, startMailServer } from './support/receivers.ts';

type HttpReceiver = Awaited<ReturnType<typeof startHttpReceiver>>;
type MailServer = Awaited<ReturnType<typeof startMailServer>>;
type Alertmanager = Awaited<ReturnType<typeof startAlertmanager>>;

const JOURNAL = '/api/v1/alertmanager';
const annotations = {
  summary: 'denied transactions above normal',
  description: '54 denied in the last 5 minutes; 8.8 are normal for this time and traffic, up to 16.',
  observed: '54',
  expected: '8.8',
  upper: '16',
  runbook_url: 'https://runbook.example/#denied',
  dashboard_url: 'http://grafana.example/d/tillwatch?a=1&b=2',
};

function alert(alertname: string, labels: Record<string, string> = {}, service = 'payments'): PostedAlert {
  return { labels: { alertname, service, severity: 'critical', ...labels }, annotations };
}

function ended(one: PostedAlert): PostedAlert {
  const now = Date.now();
  return { ...one, startsAt: new Date(now - 60_000).toISOString(), endsAt: new Date(now - 1000).toISOString() };
}

/** Alert names and statuses in the messages of the journal, whatever their order. */
function journalled(receiver: HttpReceiver): { status: string; names: string[] }[] {
  return receiver
    .at(JOURNAL)
    .map(({ status, alerts }) => ({ status, names: alerts.map((one: PostedAlert) => one.labels.alertname) }));
}

const alertName = ({ labels }: PostedAlert) => labels.alertname;

function namesIn(receiver: HttpReceiver): string[] {
  return journalled(receiver).flatMap(({ names }) => names);
}

describe('out of the box', () => {
  let receiver: HttpReceiver;
  let alertmanager: Alertmanager;

  beforeAll(async () => {
    receiver = await startHttpReceiver();
    alertmanager = await startAlertmanager((config) => config.replaceAll('http://tillwatch:8080', receiver.url), {});
  });
  afterAll(async () => {
    await alertmanager?.stop();
    await receiver?.close();
  });

  test('an incident is one message in the journal, and the watchdog a sign of life', async () => {
    const reversed = ['reversed', 'backend_reversed'].map((status) =>
      alert('TransactionsReversedAboveNormal', { status }),
    );
    await alertmanager.post([alert('Watchdog', { severity: 'none' }), ...reversed, alert('AuthCodeAboveNormal')]);
    await waitFor(() => receiver.deliveries.length >= 3, { what: 'two messages and the sign of life' });
    const groups = receiver.at(JOURNAL).map((body) => [body.receiver, ...body.alerts.map(alertName)].join());
    expect(groups.sort()).toEqual([
      'journal,AuthCodeAboveNormal',
      'journal,TransactionsReversedAboveNormal,TransactionsReversedAboveNormal',
      'watchdog,Watchdog',
    ]);
    const message = receiver.at(JOURNAL).find((body) => body.receiver === 'journal');
    expect(message).toMatchObject({ receiver: 'journal', status: 'firing', commonAnnotations: annotations });
  });
});

describe('with everything switched on', () => {
  let receiver: HttpReceiver;
  let mailServer: MailServer;
  let alertmanager: Alertmanager;

  beforeAll(async () => {
    receiver = await startHttpReceiver();
    mailServer = await startMailServer('tillwatch@example.com', 'correct horse');
    alertmanager = await startAlertmanager(
      (config, folder) =>
        withReceivers(config, folder, { url: receiver.url, mailPort: mailServer.port, interval: '500ms' }),
      { ...secretsFor(receiver.url), pagerduty_key: 'routing-key-1' },
    );
  });
  afterAll(async () => {
    await alertmanager?.stop();
    await Promise.all([receiver?.close(), mailServer?.close()]);
  });

  const slackOf = (word: string) => receiver.at('/slack').filter((body) => JSON.stringify(body).includes(word));
  const mailOf = (word: string) => mailServer.mails.filter(({ text }) => text.includes(word));

  test('what is critical reaches chat, email, pager and journal, each in its own form', async () => {
    const denied = alert('TransactionsDeniedAboveNormal', { status: 'denied', acquirer: 'Big & "Small"' });
    await alertmanager.post([denied]);
    const everywhere = () =>
      ['/slack', '/teams', '/pagerduty', '/webhook', JOURNAL].every((path) => receiver.at(path).length > 0) &&
      mailServer.mails.length > 0;
    await waitFor(everywhere, { what: `a message at each receiver\n${alertmanager.log()}` });

    const title = 'CRITICAL: denied transactions above normal (payments)';
    const [slack] = receiver.at('/slack');
    expect(slack.attachments[0]).toMatchObject({ title, color: 'danger', title_link: annotations.dashboard_url });
    for (const part of [annotations.description, ' Since ']) {
      expect(slack.attachments[0].text).toContain(part);
    }
    const buttons = slack.attachments[0].actions.map(({ text }: { text: string }) => text);
    expect(buttons).toEqual(['Look', 'What to do', 'Silence']);

    const [card] = receiver.at('/teams');
    const [heading, body] = card.attachments[0].content.body;
    expect(heading.text).toBe(title);
    expect(body.text).toContain(annotations.description);
    expect(body.text).toContain(`[Live page](${annotations.dashboard_url})`);

    const [event] = receiver.at('/pagerduty');
    expect(event).toMatchObject({ routing_key: 'routing-key-1', event_action: 'trigger' });
    expect(event.payload).toMatchObject({ severity: 'critical', component: 'payments' });
    expect(event.payload.summary).toContain(`${title}: ${annotations.description}`);
    expect(event.payload.custom_details.alerts).toContain(annotations.description);

    const [mail] = mailServer.mails;
    expect(mail?.to).toEqual(['payments-oncall@example.com']);
    expect(mail?.parsed.headers.subject).toBe(title);
    expect(mail?.parsed.text).toContain(annotations.description);
    expect(mail?.parsed.html).toContain(annotations.description);
    expect(receiver.at('/webhook')[0].alerts[0].annotations).toEqual(annotations);
  });

  test('the link to a silence selects just the alerts of the message', async () => {
    const acme = alert('TransactionsFailedAboveNormal', { status: 'failed', acquirer: 'A "quoted" + name' });
    const other = alert('TransactionsFailedAboveNormal', { status: 'failed' }, 'shop');
    await alertmanager.post([acme, other]);
    await waitFor(() => slackOf('quoted').length > 0, { what: 'the message' });
    const silence = slackOf('quoted')[0].attachments[0].actions.at(-1).url as string;
    const [page, filter = ''] = silence.split('?filter=');
    expect(page).toBe(`${alertmanager.url}/#/silences/new`);
    const matchers = decodeURIComponent(filter)
      .replace(/^\{|\}$/g, '')
      .split(', ');
    expect((await alertmanager.alerts(matchers)).map(({ labels }) => labels)).toEqual([acme.labels]);
  });

  test('a warning reaches chat and the journal, and no mailbox and no pager', async () => {
    await alertmanager.post([alert('TransactionsProcessingStuck', { severity: 'warning', status: 'processing' })]);
    await waitFor(() => slackOf('TransactionsProcessingStuck').length > 0, { what: 'the warning in chat' });
    expect(slackOf('TransactionsProcessingStuck')[0].attachments[0]).toMatchObject({ color: 'warning' });
    // A critical alert after it is in the mailbox: what was not sent before will not be.
    await alertmanager.post([alert('TransactionsReversedAboveNormal', { status: 'reversed' })]);
    await waitFor(() => mailOf('TransactionsReversedAboveNormal').length > 0, { what: 'the later mail' });
    await waitFor(() => namesIn(receiver).includes('TransactionsProcessingStuck'), {
      what: 'the warning in the journal',
    });
    expect(mailOf('TransactionsProcessingStuck')).toEqual([]);
    expect(JSON.stringify(receiver.at('/pagerduty'))).not.toContain('TransactionsProcessingStuck');
  });

  test('when it is over, everyone who heard of it hears that too', async () => {
    const volume = alert('TransactionsVolumeBelowNormal', {}, 'kiosk');
    await alertmanager.post([volume]);
    await waitFor(() => mailOf('(kiosk)').length > 0, { what: 'the mail about it' });
    await waitFor(() => slackOf('(kiosk)').length > 0, { what: 'the message about it' });
    await alertmanager.post([ended(volume)]);
    await waitFor(() => mailOf('Subject: RESOLVED: denied transactions above normal (kiosk)').length > 0, {
      what: 'the mail',
    });
    await waitFor(() => slackOf('(kiosk)').length > 1, { what: 'the second message' });
    expect(slackOf('(kiosk)').at(-1).attachments[0]).toMatchObject({
      color: 'good',
      title: 'RESOLVED: denied transactions above normal (kiosk)',
      text: expect.stringMatching(/^Over\. /),
    });
    const resolvedInJournal = () =>
      journalled(receiver).some(
        ({ status, names }) => status === 'resolved' && names[0] === 'TransactionsVolumeBelowNormal',
      );
    await waitFor(resolvedInJournal, { what: 'its end in the journal' });
    const ends = () => receiver.at('/pagerduty').filter(({ event_action }) => event_action === 'resolve');
    await waitFor(() => ends().length > 0, { what: 'its end at the pager' });
  });

  test("the watchdog is a sign of life to Tillwatch and to the dead man's switch, and no message to anyone", async () => {
    await alertmanager.post([alert('Watchdog', { severity: 'none' })]);
    const heard = (path: string) => receiver.at(path).filter((body) => body.receiver === 'watchdog');
    await waitFor(() => heard('/watchdog').length > 0 && heard(JOURNAL).length > 0, { what: 'both calls' });
    const others = receiver.deliveries.filter(({ body }) => body.includes('Watchdog') && !body.includes('"watchdog"'));
    expect(others).toEqual([]);
  });

  describe('says only once', () => {
    const told = (service: string) =>
      receiver
        .at(JOURNAL)
        .filter(({ groupLabels }) => groupLabels.service === service)
        .map(({ groupLabels }) => groupLabels.alertname);

    /**
     * Posts a cause, and once it has been told, what follows from it; answers which of those are
     * held back.
     */
    async function heldBack(cause: PostedAlert, effects: PostedAlert[]): Promise<string[]> {
      const service = cause.labels.service ?? '';
      await alertmanager.post([cause]);
      await waitFor(() => told(service).length > 0, { what: `the cause, ${cause.labels.alertname}` });
      await alertmanager.post([...effects, alert('SomethingElse', {}, service)]);
      await waitFor(() => told(service).includes('SomethingElse'), { what: 'what came with the effects' });
      const all = await alertmanager.alerts([`service="${service}"`]);
      return all
        .filter(({ status }) => status.inhibitedBy.length > 0)
        .map(({ labels }) => [labels.alertname, labels.severity, labels.status].filter(Boolean).join(' '))
        .sort();
    }

    test('that the feed is dead, and not what follows from it', async () => {
      const effects = ['TransactionsVolumeBelowNormal', 'TransactionsDeniedAboveNormal', 'AuthCodeAboveNormal'];
      const held = await heldBack(
        alert('TransactionsReportsMissing', { feed: 'all' }, 'dead-feed'),
        effects.map((name) => alert(name, {}, 'dead-feed')),
      );
      expect(held).toEqual([...effects].sort().map((name) => `${name} critical`));
      expect(told('dead-feed').sort()).toEqual(['SomethingElse', 'TransactionsReportsMissing']);
    });

    test('that one source is silent, and all that the others count as well', async () => {
      const effects = ['TransactionsVolumeBelowNormal', 'TransactionsDeniedAboveNormal'];
      const held = await heldBack(
        alert('TransactionsReportsMissing', { feed: 'source', source: 'till' }, 'one-source'),
        effects.map((name) => alert(name, {}, 'one-source')),
      );
      expect(held).toEqual([]);
    });

    test('that Tillwatch is down, and what counters of your own count as well', async () => {
      const held = await heldBack(alert('TillwatchDown', {}, 'own'), [
        alert('TransactionsDeniedAboveNormal', { status: 'denied' }, 'own'),
      ]);
      expect(held).toEqual([]);
    });

    test('that denied is above normal, and not by which code as well', async () => {
      const held = await heldBack(alert('TransactionsDeniedAboveNormal', { status: 'denied' }, 'codes'), [
        alert('AuthCodeAboveNormal', { auth_code: '51', severity: 'warning' }, 'codes'),
      ]);
      expect(held).toEqual(['AuthCodeAboveNormal warning']);
    });

    test('that Tillwatch is down, and not that its reports are missing', async () => {
      const held = await heldBack(alert('TillwatchDown', { counts: 'tillwatch' }, 'down'), [
        alert('TransactionsReportsMissing', {}, 'down'),
        alert('TransactionsVolumeBelowNormal', {}, 'down'),
      ]);
      expect(held).toEqual(['TransactionsReportsMissing critical', 'TransactionsVolumeBelowNormal critical']);
    });

    test('what is critical, and not as a warning too; other statuses and services are heard', async () => {
      const held = await heldBack(alert('TransactionsReversedAboveNormal', { status: 'reversed' }, 'twice'), [
        alert('TransactionsReversedAboveNormal', { status: 'reversed', severity: 'warning' }, 'twice'),
        alert('TransactionsReversedAboveNormal', { status: 'backend_reversed', severity: 'warning' }, 'twice'),
        alert('TransactionsVolumeBelowNormal', {}, 'another'),
      ]);
      expect(held).toEqual(['TransactionsReversedAboveNormal warning reversed']);
      expect((await alertmanager.alerts(['service="another"']))[0]?.status.inhibitedBy).toEqual([]);
    });
  });
});
