import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseMetrics, startService, temporaryFolder } from '../support/service.ts';

test('a planned window is in /metrics and in the state, and a wrong calendar stops the start', async () => {
  const calendar = join(temporaryFolder('calendar'), 'calendar.yml');
  const yesterday = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  writeFileSync(
    calendar,
    `planned: [{name: upgrade, from: ${yesterday}, lasts: 3d}, {name: acme, from: ${yesterday}, lasts: 3d, of: {acquirer: acme}}]`,
  );
  const service = await startService({ calendar, timezone: 'Asia/Kolkata' });
  try {
    const metrics = parseMetrics(await (await fetch(`${service.url}/metrics`)).text());
    expect(metrics.get('tillwatch_utc_offset_seconds')).toBe(19_800);
    const names = [...metrics.keys()].filter((name) => name.startsWith('tillwatch_calendar'));
    expect(names).toEqual([
      'tillwatch_calendar{kind="planned",name="upgrade",level="total"}',
      'tillwatch_calendar{kind="planned",name="acme",level="acquirer",acquirer="acme"}',
    ]);
    const answer = await service.post({ counts: { approved: 1, denied: 50 } });
    expect(answer.json).toMatchObject({ recommendation: 'unknown', reason: 'planned: not judged (--calendar)' });
    const state = (await (await fetch(`${service.url}/api/v1/state`)).json()) as { calendar?: string };
    expect(state.calendar).toMatch(
      /^planned: upgrade until \d{4}-\d\d-\d\d 00:00; planned: acme \(acquirer acme\) until/,
    );
  } finally {
    await service.close();
  }
  writeFileSync(calendar, 'planned:\n  - {name: upgrade, from: tomorrow, lasts: 2h}\n');
  await expect(startService({ calendar })).rejects.toThrow(
    /calendar\.yml:2: planned\.0\.from: "tomorrow" must be a local time such as 2026-11-29 01:00/,
  );
});
