import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { METRIC, STATUSES, type Status } from '../../src/domain/names.ts';
import { AUTH_CODES } from '../../src/simulator/feed.ts';

/** Mean counts a minute of each value of the extra label. */
export const PER_MINUTE: Record<Status, number> = {
  approved: 100,
  denied: 6,
  failed: 1,
  reversed: 1,
  backend_reversed: 1,
  refunded: 1,
  processing: 1,
};

/** Values of the extra label. */
export const acquirers = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `a${String(index).padStart(4, '0')}`);

export interface Target {
  /** `127.0.0.1:PORT` */
  address: string;
  close: () => void;
}

/** Seconds that local time is ahead of UTC. */
export const UTC_OFFSET = -10_800;

/** The samples of a time zone and a calendar, on a Monday after a holiday. */
const CALENDAR = [
  `${METRIC.utcOffset} ${UTC_OFFSET}`,
  `${METRIC.calendar}{kind="other_kind",name="sunday",ago="1d"} 1`,
  `${METRIC.calendar}{kind="other_kind",name="saturday",ago="2d"} 1`,
  `${METRIC.calendar}{kind="unlike",name="a holiday",ago="3d"} 1`,
];

/**
 * A service with `count` acquirers, with or without a calendar: counters that grow by the same
 * counts every minute.
 */
export async function startTarget(count: number, hasCalendar: boolean): Promise<Target> {
  const names = acquirers(count);
  const started = Date.now();
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/plain; version=0.0.4');
    const lines = exposition(names, Math.floor((Date.now() - started) / 60_000));
    response.end([...lines, ...(hasCalendar ? CALENDAR : []), ''].join('\n'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

function exposition(names: readonly string[], minutes: number): string[] {
  const totals = names.flatMap((acquirer) =>
    STATUSES.map((status) => {
      const total = (minutes + 1) * PER_MINUTE[status];
      return `${METRIC.transactions}{acquirer="${acquirer}",status="${status}"} ${total}`;
    }),
  );
  const codes = AUTH_CODES.map((code) => `${METRIC.authCodes}{auth_code="${code}"} ${(minutes + 1) * 10}`);
  const last = `${METRIC.lastReport} ${Math.floor(Date.now() / 60_000) * 60}`;
  return [...totals, ...codes, last];
}
