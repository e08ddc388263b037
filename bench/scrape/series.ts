import { STATUSES } from '../../src/domain/names.ts';
import { postOf } from '../load/request.mjs';
import type { Generator, Service } from '../load/service.ts';

/** Lines of /metrics, at the least. */
export const SERIES = 100_000;
/** Values of the extra label that make so many. */
export const LABEL_VALUES = Math.ceil(SERIES / STATUSES.length);
/** Reports in one body while the series are made. */
const PER_BODY = 1000;

const counts = Object.fromEntries(STATUSES.map((status) => [status, 5]));
const acquirersTo = (length: number) => Array.from({ length }, (_, index) => `a${index}`);

export const send = (generator: Generator, { port }: Service, request: string) =>
  generator.run({ port, request, connections: 1, seconds: 0 });

const toTillwatch = (body: unknown): string => postOf('/api/v1/transactions', 'application/json', JSON.stringify(body));

/** One more report, of series that are there. */
export const oneReport = (): string => toTillwatch({ counts, labels: { acquirer: 'a0' } });

/** Has a Tillwatch count the series of so many values of the label. */
export async function fillTillwatch(generator: Generator, service: Service, values = LABEL_VALUES): Promise<void> {
  const acquirers = acquirersTo(values);
  for (let from = 0; from < values; from += PER_BODY) {
    const reports = acquirers.slice(from, from + PER_BODY).map((acquirer) => ({ counts, labels: { acquirer } }));
    await send(generator, service, toTillwatch(reports));
  }
}

const samples = (acquirer: string): string =>
  STATUSES.map((status) => `transactions_total{acquirer="${acquirer}",status="${status}"} 5\n`).join('');
const push = (group: string, names: readonly string[]): string =>
  postOf(`/metrics/job/${group}`, 'text/plain', `# TYPE transactions_total counter\n${names.map(samples).join('')}`);

/** A push of seven samples, in a group of its own. */
export const onePush = (): string => push('one', ['a0']);

export async function fillPushgateway(generator: Generator, service: Service): Promise<void> {
  await send(generator, service, push('all', acquirersTo(LABEL_VALUES)));
}
