import { STATUSES } from '../../src/domain/names.ts';
import { NUMBER, postOf } from '../load/request.mjs';

const COUNTS = { approved: 116, denied: 6, failed: 1, reversed: 1, backend_reversed: 1, refunded: 2, processing: 3 };
/** Counts in a batch. */
export const BATCH = 1000;

const minuteAgo = (): string => new Date(Math.floor(Date.now() / 60_000 - 1) * 60_000).toISOString();
const toTillwatch = (body: unknown): string => postOf('/api/v1/transactions', 'application/json', JSON.stringify(body));

/**
 * One minute of one source, each request of another source: nothing is a repeat, and every one of
 * them would be recognised as one. Generators that work at once need a name each.
 */
export const report = (name = 'pos'): string =>
  toTillwatch({ timestamp: minuteAgo(), source: `${name}-${NUMBER}`, counts: COUNTS });

/** The same counts, each request under a key of its own. */
export const keyed = (): string =>
  toTillwatch({ timestamp: minuteAgo(), source: 'pos', counts: COUNTS }).replace(
    '\r\n\r\n',
    `\r\nIdempotency-Key: key-${NUMBER}\r\n\r\n`,
  );

/** Values of the extra label, with their counts: 1,000 in all. */
const acquirers = Array.from({ length: Math.ceil(BATCH / STATUSES.length) }, (_, index) => {
  const statuses = STATUSES.slice(0, BATCH - index * STATUSES.length);
  return { name: `a${index}`, counts: Object.fromEntries(statuses.map((status) => [status, COUNTS[status]])) };
});

/** The same of many acquirers in one body. */
export function batch(): string {
  const timestamp = minuteAgo();
  const reports = acquirers.map(({ name, counts }) => ({
    timestamp,
    source: `pos-${NUMBER}`,
    counts,
    labels: { acquirer: name },
  }));
  return toTillwatch(reports);
}

const sample = (labels: string, count: number | undefined): string => `transactions_total{${labels}} ${count}\n`;
const toPushgateway = (samples: readonly string[]): string =>
  postOf('/metrics/job/pos', 'text/plain', `# TYPE transactions_total counter\n${samples.join('')}`);

/** The seven counts as a Pushgateway takes them; always of the same group, which suits it best. */
export const push = (): string => toPushgateway(STATUSES.map((status) => sample(`status="${status}"`, COUNTS[status])));

export const pushedBatch = (): string =>
  toPushgateway(
    acquirers.flatMap(({ name, counts }) =>
      Object.entries(counts).map(([status, count]) => sample(`acquirer="${name}",status="${status}"`, count)),
    ),
  );
