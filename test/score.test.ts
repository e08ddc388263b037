import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLabels, signalsOfRules } from '../src/backtest/incident-labels.ts';
import { type Label, type SignalAlert, scoreAlerts } from '../src/backtest/score.ts';
import { signalOf } from '../src/judge/alert-signal.ts';
import { tempDir } from './support/temp-dir.ts';

/** Minutes of a day, of which the whole is scored. */
const DAY = { from: 0, to: 86_400 };
const alert = (signal: string, start: number, end = start + 1): SignalAlert => ({
  signal,
  startsAt: start * 60,
  endsAt: end * 60,
});
const label = (signals: string, start: number, end: number): Label => ({
  start: start * 60,
  end: end * 60,
  signals: signals.split('|'),
  note: '',
});
const score = (alerts: SignalAlert[], labels: Label[], options = DAY) => scoreAlerts(alerts, labels, options);

describe('scoreAlerts', () => {
  it('takes an incident for detected from the minute after its start to five minutes past its end', () => {
    const at = (start: number) => score([alert('denied', start)], [label('denied', 100, 120)]).score;
    expect([100, 101, 125, 126].map((start) => at(start).detected)).toEqual([0, 1, 1, 0]);
    expect([100, 101, 125, 126].map((start) => at(start).falseAlarms)).toEqual([1, 0, 0, 1]);
  });

  it('counts the minutes that were seen until the first alert, with the median and the 95th percentile between neighbours', () => {
    const labels = [0, 1, 2, 3].map((hour) => label('denied', hour * 60, hour * 60 + 20));
    const alerts = [
      alert('denied', 1),
      alert('denied', 62),
      alert('denied', 124),
      alert('denied', 190),
      alert('denied', 195),
    ];
    expect(score(alerts, labels).score.delayMinutes).toEqual({ median: 3, p95: expect.closeTo(9.1) });
    expect(score([], labels).score.delayMinutes).toEqual({ median: null, p95: null });
  });

  it('counts an alert of which nobody said what it was neither way', () => {
    const unsaid: Label = { ...label('', 100, 120), signals: [] };
    const at = (start: number, ...labels: Label[]) => score([alert('denied', start)], [unsaid, ...labels]).score;
    expect(at(105)).toMatchObject({ incidents: 0, detected: 0, falseAlarms: 0 });
    expect(at(130)).toMatchObject({ incidents: 0, falseAlarms: 1 });
    expect(at(105, label('none', 100, 110))).toMatchObject({ incidents: 0, falseAlarms: 1 });
    expect(at(105, label('denied', 100, 110))).toMatchObject({ incidents: 1, detected: 1, falseAlarms: 0 });
  });

  it('counts precision, recall and F1 over incidents and false alarms', () => {
    const labels = [label('denied', 100, 120), label('failed', 300, 320), label('volume', 500, 520)];
    const alerts = [alert('denied', 103), alert('failed', 305), alert('reversed', 800)];
    expect(score(alerts, labels).score).toMatchObject({
      incidents: 3,
      detected: 2,
      falseAlarms: 1,
      falseAlarmsPerDay: 1,
      precision: 2 / 3,
      recall: 2 / 3,
      f1: 2 / 3,
    });
    expect(score(alerts, labels).missed).toEqual([labels[2]]);
    expect(score(alerts, labels).falseAlarms).toEqual([alerts[2]]);
    expect(score([], []).score).toMatchObject({ precision: null, recall: null, f1: null, falseAlarmsPerDay: 0 });
  });

  it('asks for an alert of the signal itself, and forgives one of another within an incident', () => {
    const { score: counted } = score([alert('failed', 110)], [label('denied', 100, 120)]);
    expect(counted).toMatchObject({ detected: 0, falseAlarms: 0, f1: 0 });
  });

  it('takes any of several signals', () => {
    const labels = [label('denied|volume', 100, 120)];
    expect(score([alert('volume', 110)], labels).score).toMatchObject({ incidents: 1, detected: 1 });
    expect(Object.keys(score([alert('volume', 110)], labels).bySignal)).toEqual(['denied', 'volume']);
  });

  it('calls an alert on what must not alert false', () => {
    const { score: counted } = score([alert('denied', 105)], [label('none', 100, 120)]);
    expect(counted).toMatchObject({ incidents: 0, falseAlarms: 1, precision: 0 });
  });

  it('takes alerts of a signal for one when at most ten minutes lie between them', () => {
    const falseAlarms = (second: number, signal = 'denied') =>
      score([alert('denied', 100, 110), alert(signal, second)], []).score.falseAlarms;
    expect([falseAlarms(120), falseAlarms(121), falseAlarms(115, 'failed')]).toEqual([1, 2, 2]);
    // An alert that goes on from before an incident does not start in it.
    const through = score([alert('denied', 90, 95), alert('denied', 103)], [label('denied', 100, 120)]);
    expect(through.score).toMatchObject({ detected: 0, falseAlarms: 1 });
  });

  it('gives an alert after one incident and in the next to the next alone', () => {
    const labels = [label('denied', 100, 120), label('denied', 121, 140)];
    expect(score([alert('denied', 123)], labels).missed).toEqual([labels[0]]);
  });

  it('leaves alone what starts before the range that is scored', () => {
    const labels = [label('denied', 100, 120), label('denied', 500, 520)];
    const alerts = [alert('denied', 110), alert('denied', 300), alert('denied', 505)];
    expect(score(alerts, labels, { from: 400 * 60, to: 86_400 }).score).toMatchObject({
      incidents: 1,
      detected: 1,
      falseAlarms: 0,
    });
  });

  it('judges feed, processing and auth codes only where labels are about them', () => {
    const alerts = [alert('auth_code', 300), alert('feed', 600), alert('processing', 900)];
    const without = score(alerts, [label('denied', 100, 120)]);
    expect([without.score.falseAlarms, without.unjudged]).toEqual([0, alerts]);
    const labels = [label('auth_code', 100, 120), label('feed', 595, 620)];
    const judged = score(alerts, labels);
    expect(judged.score).toMatchObject({ incidents: 2, detected: 1, falseAlarms: 1 });
    expect(judged.unjudged).toEqual([alerts[2]]);
    // Within a denied incident an auth code is what belongs there.
    expect(score([alert('auth_code', 110)], [label('denied', 100, 120), ...labels]).score.falseAlarms).toBe(0);
  });

  it('counts an alert that still fires at the end', () => {
    const open = { signal: 'denied', startsAt: 86_000, endsAt: null };
    expect(score([open], [label('denied', 1433, 1440)]).score.detected).toBe(1);
  });
});

describe('signalOf', () => {
  it.each([
    ['TransactionsDeniedAboveNormal', { status: 'denied' }, 'denied'],
    ['TransactionsReversedAboveNormal', { status: 'backend_reversed' }, 'reversed'],
    ['TransactionsVolumeBelowNormal', { status: 'approved' }, 'volume'],
    ['TransactionsProcessingStuck', { status: 'processing' }, 'processing'],
    ['AuthCodeAboveNormal', { auth_code: '51' }, 'auth_code'],
    ['TransactionsReportsMissing', {}, 'feed'],
    ['FailedTooMany', {}, 'failed'],
    ['SalesDrop', { signal: 'volume' }, 'volume'],
    ['Whatever', {}, 'Whatever'],
  ])('%s %j is about %s', (alertname, labels, signal) => {
    expect(signalOf(alertname, labels)).toBe(signal);
  });
});

describe('readLabels', () => {
  const read = async (text: string, further: readonly string[] = []) => {
    const file = join(await tempDir(), 'labels.csv');
    await writeFile(file, text);
    return readLabels(file, further);
  };

  it('reads columns in any order, offsets, several signals, and keeps the rest as a note', async () => {
    const text = '\uFEFFkind,Signal,start,end\r\nspike,denied|volume,2026-01-05T02:00:00+02:00,2026-01-05 00:20:00\r\n';
    const start = Date.UTC(2026, 0, 5) / 1000;
    expect(await read(text)).toEqual([{ start, end: start + 1200, signals: ['denied', 'volume'], note: 'spike' }]);
    expect(await read(text.replaceAll(',', ';'))).toHaveLength(1);
    expect(await read('start,end,signal\n')).toEqual([]);
  });

  it('names every row that it cannot take', async () => {
    const rows = [
      '2026-01-05T00:20:00Z,2026-01-05T00:10:00Z,denied',
      'noon,2026-01-05T00:10:00Z,denied',
      '2026-01-05T00:00:00Z,2026-01-05T00:10:00Z,',
    ];
    const reading = read(`start,end,signal\n${rows.join('\n')}\n`);
    await expect(reading).rejects.toThrow(
      /labels\.csv: bad labels:\n {2}line 2: end "2026-01-05T00:10:00Z": is not after/,
    );
    await expect(reading).rejects.toThrow('line 3: start "noon": is no time; write it as 2026-01-05T00:00:00Z');
    await expect(reading).rejects.toThrow('line 4: signal "": expected auth_code, denied, failed, reversed');
  });

  it('refuses a signal that no alert has, and names the one that was meant', async () => {
    const row = '2026-01-05T00:00:00Z,2026-01-05T00:10:00Z';
    const all = 'auth_code, denied, failed, reversed, refunded, processing, feed, volume, none';
    await expect(read(`start,end,signal\n${row},denied\n${row},volume|denyed\n`)).rejects.toThrow(
      `line 3: signal "denyed": did you mean denied? expected ${all}, or several joined by |`,
    );
    await expect(read(`start,end,signal\n${row},sales\n`)).rejects.toThrow(`line 2: signal "sales": expected ${all}`);
  });

  it('takes the signals of the alerts in the rules', async () => {
    const rules = await tempDir();
    const alerts = ['{alert: Basket, expr: x}', '{alert: Y, expr: x, labels: {signal: gift card}}'];
    await writeFile(join(rules, 'own.yml'), `groups: [{name: own, rules: [${alerts.join(', ')}]}]\n`);
    const further = await signalsOfRules([rules]);
    const row = '2026-01-05T00:00:00Z,2026-01-05T00:10:00Z';
    expect(await read(`start,end,signal\n${row},Basket|gift_card\n`, further)).toHaveLength(1);
  });

  it('refuses a file without a header, and one that is not there', async () => {
    await expect(read('')).rejects.toThrow('labels.csv: is empty; expected a header start,end,signal');
    await expect(read('start,stop\n1,2\n')).rejects.toThrow('line 1: no column end, signal in "start,stop"');
    await expect(read('start,end,signal\n"open\n')).rejects.toThrow(/labels\.csv: .*[Qq]uot/);
    await expect(readLabels('/nowhere/labels.csv')).rejects.toThrow('/nowhere/labels.csv: no such file');
  });
});
