import { median, milliseconds, type Row, ratio, row, whole } from '../load/rounds.ts';
import type { Measurements, Result } from './measure.ts';
import { BATCH } from './requests.ts';

const rates = (results: readonly Result[]) => results.map(({ perSecond }) => perSecond);
const rate = (results: readonly Result[]): string => `${whole(median(rates(results)))}/s`;
const microseconds = (seconds: number): string => `${Math.round(seconds * 1e6)} us`;

/** Goals: 9 times a Pushgateway on Node 20, 11 on what is newer. */
const TIMES = Number(process.versions.node.split('.')[0]) > 20 ? 11 : 9;

/** The results beside their goals. */
export function ingestRows({ reports, single, batches }: Measurements): Row[] {
  const { durable, memory, checked, plain } = reports;
  const against = (other: readonly Result[]) => ratio(rates(durable), rates(other));
  const pair = (other: readonly Result[]) => `${rate(durable)} by ${rate(other)}`;
  const what = 'durable POST, 50 connections';
  return [
    row(`${what} / Pushgateway`, '>=', TIMES, against(checked), 'x', pair(checked)),
    row(`${what} / durability off`, '>=', 0.85, against(memory), 'x', pair(memory)),
    limitRow(single),
    batchRow(batches),
    cpuRow(durable, plain),
  ];
}

const medians = (results: readonly { median: number }[]) => results.map((result) => result.median);
const time = (results: readonly { median: number }[]): string => milliseconds(median(medians(results)));

/** One request after another can be no faster than its round trip and one sync. */
function againstLimit({ durable, plain }: Measurements['single'], syncs: readonly Result[]): number {
  const limits = plain.map((trip, round) => trip.median + (syncs[round]?.median ?? Number.NaN));
  return ratio(limits, medians(durable));
}

function limitRow(single: Measurements['single']): Row {
  const { durable, plain, sync } = single;
  const parts = `${time(durable)} where the round trip takes ${time(plain)} and a sync ${time(sync)}`;
  return row('durable POST, one connection / the limit', '>=', 0.7, againstLimit(single, sync), 'x', parts);
}

/**
 * The log is written over in place, which most disks sync faster than the file that grows of the
 * row.
 */
export function inPlaceText({ single }: Measurements): string {
  const { syncInPlace } = single;
  const figure = againstLimit(single, syncInPlace).toPrecision(3);
  return `one connection, held to a sync of a file that does not grow (${time(syncInPlace)}): ${figure}x\n`;
}

function batchRow({ durable, checked }: Measurements['batches']): Row {
  const counts = (results: readonly Result[]) => `${whole(median(rates(results)) * BATCH)}/s`;
  const parts = `${counts(durable)} by ${counts(checked)}`;
  return row(
    `counts in batches of ${whole(BATCH)} / Pushgateway`,
    '>=',
    1.2,
    ratio(rates(durable), rates(checked)),
    'x',
    parts,
  );
}

function cpuRow(durable: readonly Result[], plain: readonly Result[]): Row {
  const [ours, theirs] = [durable, plain].map((results) => results.map(({ cpu }) => cpu)) as [number[], number[]];
  const parts = `${microseconds(median(ours))} by ${microseconds(median(theirs))}`;
  return row('CPU of a POST, 50 connections / plain Koa', '<=', 1.1, ratio(ours, theirs), 'x', parts);
}

/** The generator's share of a core. Near 1, the generator itself would be measured. */
export function generatorText({ reports }: Measurements): string {
  const shares = Object.entries(reports).map(([name, results]) => {
    const share = median(results.map(({ perSecond, generatorCpu }) => perSecond * generatorCpu));
    return `${name} ${share.toFixed(2)}`;
  });
  return `cores taken by the load generator: ${shares.join(', ')}\n`;
}

/** The cost of a POST here, and where little or nothing is done with it. */
export function costText({ reports }: Measurements): string {
  const of = (results: readonly Result[]) => microseconds(median(results.map(({ cpu }) => cpu)));
  const { durable, plain, bare } = reports;
  return `CPU of a POST: durable ${of(durable)}, plain Koa ${of(plain)}, Node's HTTP alone ${of(bare)}\n`;
}
