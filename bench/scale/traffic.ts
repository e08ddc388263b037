import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export const SOURCES = 2000;
export const ACQUIRERS = 12;
export const MERCHANTS = 1000;
const MINUTES_A_DAY = 1440;

/** The report of one source for a minute: its share of so many transactions a day. */
function bodyOf(source: number, minute: number, perDay: number): string {
  const total = Math.round(perDay / MINUTES_A_DAY / SOURCES);
  const [denied, failed] = [Math.ceil(total * 0.06), Math.ceil(total * 0.01)];
  const approved = total - denied - failed;
  return JSON.stringify({
    timestamp: new Date(minute * 60_000).toISOString(),
    source: `source-${source}`,
    counts: { approved, denied, failed },
    authCodes: { '00': approved, '51': denied },
    labels: { acquirer: `acquirer-${source % ACQUIRERS}`, merchant: `merchant-${source % MERCHANTS}` },
  });
}

const agent = new Agent({ keepAlive: true });

/** @returns milliseconds until the answer; undefined where it was not 200 */
function post(port: number, body: string): Promise<number | undefined> {
  const began = performance.now();
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve) => {
    const options = { agent, host: '127.0.0.1', port, path: '/api/v1/transactions', method: 'POST', headers };
    request(options, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode === 200 ? performance.now() - began : undefined));
    })
      .on('error', () => resolve(undefined))
      .end(body);
  });
}

export interface Sent {
  /** The time of each answer with 200; milliseconds. */
  times: number[];
  refused: number;
}

/**
 * Reports the minute before of every source, spread evenly over each minute, to the services in
 * turn. Reports do not wait for each other.
 */
export async function sendFor(minutes: number, perDay: number, ports: readonly number[]): Promise<Sent> {
  const sent: Sent = { times: [], refused: 0 };
  const began = Date.now();
  const under: Promise<void>[] = [];
  for (let number = 0; number < minutes * SOURCES; number++) {
    const at = began + (number * 60_000) / SOURCES;
    if (at > Date.now()) await sleep(at - Date.now());
    const body = bodyOf(number % SOURCES, Math.floor(at / 60_000) - 1, perDay);
    under.push(
      post(ports[number % ports.length] ?? 0, body).then((time) => {
        if (time === undefined) sent.refused++;
        else sent.times.push(time);
      }),
    );
  }
  await Promise.all(under);
  return sent;
}
