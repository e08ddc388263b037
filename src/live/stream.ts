import { ApiError, authorization, problemOf } from './api.ts';

export interface ServerEvent {
  event: string;
  data: string;
}

/**
 * Cuts a text/event-stream into events as its text arrives; comments and empty events are left out.
 */
export function createParser(take: (event: ServerEvent) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const blocks = (rest + text).replaceAll('\r\n', '\n').split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) =>
        block
          .split('\n')
          .filter((line) => line.startsWith(`${name}:`))
          .map((line) => line.slice(name.length + 1).replace(/^ /, ''));
      const data = field('data').join('\n');
      if (data !== '') take({ event: field('event')[0] ?? 'message', data });
    }
  };
}

export interface StreamHandlers {
  onOpen(): void;
  onEvent(event: ServerEvent): void;
  /** It ended; `again` is when the next attempt comes, milliseconds since the epoch. */
  onLost(error: ApiError, again: number): void;
  /** The service wants a token, or another one. Nothing is tried until `retry`. */
  onRefused(error: ApiError): void;
}

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
/**
 * The service sends something at least each 15 s; after this long without a byte the connection is
 * taken for dead.
 */
const SILENCE_MS = 40_000;

async function readAll(body: ReadableStream<Uint8Array>, handlers: StreamHandlers, abort: AbortController) {
  const parse = createParser(handlers.onEvent);
  const decoder = new TextDecoder();
  let timer = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    for (const reader = body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE_MS);
      parse(decoder.decode(value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}

async function open(handlers: StreamHandlers): Promise<void> {
  const abort = new AbortController();
  const headers = { Accept: 'text/event-stream', ...authorization() };
  const response = await fetch('api/v1/events', { headers, signal: abort.signal, cache: 'no-store' });
  if (!response.ok || response.body === null) throw await problemOf(response);
  handlers.onOpen();
  await readAll(response.body, handlers, abort);
}

/**
 * Keeps the event stream open, for ever: EventSource could not send a token. @returns retry: tries
 * at once
 */
export function keepStream(handlers: StreamHandlers): { retry(): void } {
  let wait = FIRST_WAIT_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let busy = false;
  async function attempt(): Promise<void> {
    clearTimeout(timer);
    if (busy) return;
    busy = true;
    const error = await open({ ...handlers, onOpen: opened }).then(
      () => new ApiError(0, 'Tillwatch closed the connection'),
      (cause: unknown) => (cause instanceof ApiError ? cause : new ApiError(0, 'Tillwatch does not answer')),
    );
    busy = false;
    if (error.status === 401 || error.status === 403) return handlers.onRefused(error);
    // Up to a fifth more, so that a hundred pages do not come back in the same instant.
    const next = wait * (1 + Math.random() / 5);
    wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    timer = setTimeout(attempt, next);
    handlers.onLost(error, Date.now() + next);
  }
  function opened(): void {
    wait = FIRST_WAIT_MS;
    handlers.onOpen();
  }
  void attempt();
  return { retry: () => void attempt() };
}
