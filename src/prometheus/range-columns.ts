import type { Labels } from '../domain/series-text.ts';

/** One series of a range query's answer: seconds since the epoch, and values. */
export interface Columns {
  metric: Labels;
  times: Float64Array;
  values: Float64Array;
}

const PREFIX = '{"status":"success","data":{"resultType":"matrix","result":[';
const [QUOTE, COMMA, OPEN, CLOSE, BRACE, UNBRACE, BACKSLASH, DOT, ZERO] = [...'",[]{}\\.0'].map((char) =>
  char.charCodeAt(0),
);

/**
 * Reads the answer of `/api/v1/query_range` as columns. JSON.parse would make two objects for every
 * sample, and there are tens of millions of them in a history.
 * @param maxSteps of one series
 * @returns undefined when the answer is something else, an error for instance
 */
export function readMatrix(json: Buffer, maxSteps: number): Columns[] | undefined {
  if (json.toString('latin1', 0, PREFIX.length) !== PREFIX) return undefined;
  const series: Columns[] = [];
  for (let at = PREFIX.length; json[at] === BRACE; ) {
    const metricEnd = endOfObject(json, at + '{"metric":'.length);
    const metric = JSON.parse(json.toString('utf8', at + '{"metric":'.length, metricEnd)) as Labels;
    const valuesStart = metricEnd + ',"values":['.length;
    if (json.toString('latin1', metricEnd, valuesStart) !== ',"values":[')
      throw new Error('the expression gives native histograms, which are not supported here');
    const column = readSamples(json, valuesStart, maxSteps);
    series.push({ metric, times: column.times, values: column.values });
    // Skips `]}` and what follows.
    at = column.end + 2;
    if (json[at] === COMMA) at++;
  }
  return series;
}

function endOfObject(json: Buffer, start: number): number {
  let quoted = false;
  for (let at = start; at < json.length; at++) {
    const char = json[at];
    if (quoted && char === BACKSLASH) at++;
    else if (char === QUOTE) quoted = !quoted;
    else if (!quoted && char === UNBRACE) return at + 1;
  }
  throw new Error('Prometheus broke off in its answer');
}

/** `[time,"value"],[time,"value"]`; `end` is the position after the last one. */
function readSamples(json: Buffer, start: number, maxSteps: number) {
  const times = new Float64Array(maxSteps);
  const values = new Float64Array(maxSteps);
  let count = 0;
  let at = start;
  while (json[at] === OPEN) {
    const comma = indexOf(json, COMMA, at + 1);
    const quote = indexOf(json, QUOTE, comma + 2);
    times[count] = readNumber(json, at + 1, comma);
    values[count] = readNumber(json, comma + 2, quote);
    count++;
    at = quote + 2;
    if (json[at] === COMMA) at++;
  }
  if (json[at] !== CLOSE) throw new Error('Prometheus broke off in its answer');
  return { times: times.subarray(0, count), values: values.subarray(0, count), end: at };
}

function indexOf(json: Buffer, char: number | undefined, start: number): number {
  let at = start;
  while (at < json.length && json[at] !== char) at++;
  return at;
}

const POWERS = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent);

/**
 * Short decimals digit by digit, which is exact up to 15 digits; the others as JavaScript reads
 * them.
 */
function readNumber(json: Buffer, start: number, end: number): number {
  if (end - start > 15) return readText(json, start, end);
  let digits = 0;
  let decimals = -1;
  for (let at = start; at < end; at++) {
    const digit = (json[at] ?? 0) - (ZERO ?? 0);
    if (json[at] === DOT && decimals < 0) decimals = end - at - 1;
    else if (digit >= 0 && digit <= 9) digits = digits * 10 + digit;
    else return readText(json, start, end);
  }
  return decimals > 0 ? digits / (POWERS[decimals] ?? 1) : digits;
}

function readText(json: Buffer, start: number, end: number): number {
  const text = json.toString('latin1', start, end);
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
