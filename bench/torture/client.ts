import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';

export interface Reply {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  json: any;
}

export interface Asked {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** Speaks to one service over connections that stay open. */
export interface Client {
  /** Rejects when there is no answer. */
  send(asked: Asked): Promise<Reply>;
  post(body: unknown, headers?: Record<string, string>): Promise<Reply>;
  /** Series of the exposition by their names and labels. */
  scrape(): Promise<Map<string, number>>;
  close(): void;
}

/** Longer than the service needs for anything: a request that gets no answer is one without. */
const TIMEOUT_MS = 60_000;
const REPORTS = '/api/v1/transactions';
const JSON_TYPE = { 'Content-Type': 'application/json' };

export function createClient(url: string, maxSockets = 100): Client {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets });
  const send = ({ method = 'GET', path, headers = {}, body }: Asked): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
      const request = httpRequest({ agent, hostname, port, method, path, headers: { ...headers, ...length } });
      request.setTimeout(TIMEOUT_MS, () => request.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
      request.once('error', reject).once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk)).once('error', reject);
        response.once('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: toJson(text) });
        });
      });
      request.end(body);
    });
  return {
    send,
    post: (body, headers = {}) =>
      send({ method: 'POST', path: REPORTS, headers: { ...JSON_TYPE, ...headers }, body: toText(body) }),
    scrape: async () => seriesOf((await send({ path: '/metrics' })).text),
    close: () => agent.destroy(),
  };
}

const toText = (body: unknown): string | Uint8Array =>
  typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);

function toJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function seriesOf(exposition: string): Map<string, number> {
  const lines = exposition.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

/** The counters of transactions, late ones and auth codes. */
export const countersOf = (series: Map<string, number>): Map<string, number> =>
  new Map([...series].filter(([name]) => /^transactions_\w*total/.test(name)));

/** The sum of all series of transactions_total, or of those of one status. */
export const totalOf = (series: Map<string, number>, status = ''): number =>
  [...series]
    .filter(([name]) => name.startsWith('transactions_total{') && name.includes(`status="${status}`))
    .reduce((sum, [, value]) => sum + value, 0);

/** The minute that began `n` minutes before `now` (milliseconds), as reports name it. */
export const minuteBefore = (n: number, now = Date.now()): string =>
  new Date((Math.floor(now / 60_000) - n) * 60_000).toISOString().replace('.000', '');
