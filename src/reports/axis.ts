/** A place on an axis. `minor` ones may be left out where there is little room. */
export interface Tick {
  at: number;
  label: string;
  minor: boolean;
}

/** Round values from 0 up to the first that is not below `max`, some four of them. */
export function valueTicks(max: number, about = 4): number[] {
  if (!(max > 0)) return [0, 1];
  const rough = max / about;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough * 0.999) ?? 10) * power;
  const count = Math.ceil(max / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14].map((days) => days * DAY),
];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Ticks at round UTC times in [from, to], in seconds: minutes, hours, days, weeks from Monday or
 * months, as suits the range. Midnight is labelled by its date.
 */
export function timeTicks(from: number, to: number, atMost = 10): Tick[] {
  const step = STEPS.find((candidate) => (to - from) / candidate <= atMost);
  const times = step === undefined ? monthsBetween(from, to, atMost) : everyStep(from, to, step);
  const label = step === undefined ? monthLabel : timeLabel;
  return times.map((at, index) => ({ at, label: label(at), minor: index % 2 === 1 }));
}

function everyStep(from: number, to: number, step: number): number[] {
  // The epoch began on a Thursday; weeks are counted from a Monday.
  const origin = step >= 7 * DAY ? 4 * DAY : 0;
  const times: number[] = [];
  for (let at = Math.ceil((from - origin) / step) * step + origin; at <= to; at += step) times.push(at);
  return times;
}

function monthsBetween(from: number, to: number, atMost: number): number[] {
  const start = new Date(from * 1000);
  const every = Math.ceil((to - from) / (30.4 * DAY) / atMost);
  const times: number[] = [];
  for (let month = start.getUTCMonth(); ; month++) {
    const at = Date.UTC(start.getUTCFullYear(), month, 1) / 1000;
    if (at > to) return times;
    if (at >= from && month % every === 0) times.push(at);
  }
}

function timeLabel(seconds: number): string {
  const time = new Date(seconds * 1000);
  if (seconds % DAY === 0) return `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]}`;
  return time.toISOString().slice(11, 16);
}

function monthLabel(seconds: number): string {
  const time = new Date(seconds * 1000);
  return `${MONTHS[time.getUTCMonth()]} ${time.getUTCFullYear()}`;
}
