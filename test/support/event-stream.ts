import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { waitFor } from './processes.ts';
import type { Headings } from './service.ts';

export interface ServerEvent {
  name: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into data of every shape
  data: any;
}

export interface EventStream {
  status: number;
  headers: IncomingMessage['headers'];
  /** All events so far. */
  events: ServerEvent[];
  /** The body of an answer that is no stream. */
  text: () => string;
  ended: () => boolean;
  /** The first event of that name that fits, now or later. */
  next(name: string, fits?: (data: ServerEvent['data']) => boolean, timeout?: number): Promise<ServerEvent['data']>;
  /** Reads nothing more. */
  pause(): void;
  close(): void;
}

function parse(block: string): ServerEvent | undefined {
  const name = /^event: (.+)$/m.exec(block)?.[1];
  const data = /^data: (.+)$/m.exec(block)?.[1];
  return name === undefined || data === undefined ? undefined : { name, data: JSON.parse(data) };
}

/** Listens to the events of a service as a browser does. */
export async function listenTo(url: string, headers: Headings = {}): Promise<EventStream> {
  const sent = request(`${url}/api/v1/events`, { headers, agent: false }).end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const events: ServerEvent[] = [];
  let waiting = '';
  let over = false;
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const blocks = (waiting + chunk).split('\n\n');
    waiting = blocks.pop() ?? '';
    events.push(...blocks.map(parse).filter((event) => event !== undefined));
  });
  // An answer that is cut off ends with an error.
  response
    .on('error', () => {})
    .on('close', () => {
      over = true;
    });
  sent.on('error', () => {});
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    text: () => waiting,
    ended: () => over,
    next: (name, fits = () => true, timeout = 180_000) =>
      waitFor(() => events.find((event) => event.name === name && fits(event.data))?.data, {
        what: `an event ${name}`,
        timeout,
      }),
    pause: () => response.pause(),
    close: () => sent.destroy(),
  };
}
