import type { Labels } from '../domain/series-text.ts';
import { abortable } from '../runtime/abortable.ts';

/** Samples of one series in order of time: seconds since the epoch, and values. */
export interface SeriesSamples {
  /** The labels, `__name__` among them. */
  labels: Labels;
  times: ArrayLike<number>;
  values: ArrayLike<number>;
}

/** Prometheus stores NaN as these bits; another bit pattern of NaN marks a series as ended. */
const NORMAL_NAN = 0x7ff8000000000001n;

/** Prometheus takes 32 MB, unpacked, in a request. */
const MAX_REQUEST = 16 * 1024 * 1024;

/**
 * Writes samples to a Prometheus that was started to take them (remote write 1.0: protobuf in a
 * snappy block), in as many requests as it needs.
 * @throws with Prometheus' words, for instance when a series' samples are older than what it has
 */
export async function remoteWrite(url: string, series: readonly SeriesSamples[], signal?: AbortSignal): Promise<void> {
  let parts: Buffer[] = [];
  let size = 0;
  for (const one of series) {
    const part = encodeSeries(one);
    if (size > 0 && size + part.length > MAX_REQUEST) {
      await send(url, parts, signal);
      [parts, size] = [[], 0];
    }
    parts.push(part);
    size += part.length;
  }
  if (size > 0) await send(url, parts, signal);
}

async function send(url: string, parts: readonly Buffer[], signal?: AbortSignal): Promise<void> {
  const body = asSnappyLiteral(parts);
  const headers = {
    'Content-Type': 'application/x-protobuf',
    'Content-Encoding': 'snappy',
    'X-Prometheus-Remote-Write-Version': '0.1.0',
  };
  const answering = fetch(`${url}/api/v1/write`, { method: 'POST', body, headers, signal: signal ?? null }).then(
    async (response) => {
      const text = await response.text();
      if (!response.ok) throw new Error(`Prometheus took no samples (${response.status}): ${text.trim()}`);
    },
  );
  await abortable(answering, signal);
}

/**
 * A sample is at most 20 bytes: tag, length, tag and 8 bytes of value, tag and at most 7 of
 * milliseconds.
 */
const SAMPLE_BYTES = 20;

/** A part of prometheus.WriteRequest { repeated TimeSeries timeseries = 1; } */
const encodeSeries = (series: SeriesSamples): Buffer => field(1, encodeTimeSeries(series));

/**
 * TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }, labels sorted by name.
 */
function encodeTimeSeries({ labels, times, values }: SeriesSamples): Buffer {
  const names = Object.keys(labels)
    .filter((name) => labels[name] !== '')
    .sort();
  const head = Buffer.concat(
    names.map((name) => field(1, Buffer.concat([text(1, name), text(2, labels[name] ?? '')]))),
  );
  const out = Buffer.allocUnsafe(head.length + times.length * SAMPLE_BYTES);
  let at = head.copy(out);
  for (let index = 0; index < times.length; index++) {
    at = encodeSample(out, at, (times[index] ?? 0) * 1000, values[index] ?? 0);
  }
  return out.subarray(0, at);
}

/** Sample { double value = 1; int64 timestamp = 2; } as field 2. @returns where it ends */
function encodeSample(out: Buffer, start: number, milliseconds: number, value: number): number {
  out[start] = 0x12;
  out[start + 2] = 0x09;
  if (Number.isNaN(value)) out.writeBigUInt64LE(NORMAL_NAN, start + 3);
  else out.writeDoubleLE(value, start + 3);
  out[start + 11] = 0x10;
  let at = start + 12;
  let rest = Math.round(milliseconds);
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out[at++] = (rest % 0x80) + 0x80;
  out[at++] = rest;
  out[start + 1] = at - start - 2;
  return at;
}

const field = (number: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, ...varint(content.length)]), content]);
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value));

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

/** A snappy block that copies its content: valid, and cheaper on a loopback than compressing. */
function asSnappyLiteral(content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  // 63 << 2: a literal whose length, less one, is in the next four bytes.
  const head = Buffer.from([...varint(length), 0xfc, 0, 0, 0, 0]);
  head.writeUInt32LE(length - 1, head.length - 4);
  return Buffer.concat([head, ...content]);
}
