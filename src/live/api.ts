/** An answer that is none, in words for the person who asked. `status` 0: no answer at all. */
export class ApiError extends Error {
  override name = 'ApiError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const TOKEN = 'tillwatch-token';
export const setToken = (token: string): void => sessionStorage.setItem(TOKEN, token);

/** The headers that let a request in, where the service asks for a token. */
export function authorization(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN);
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

/** The error of an answer, from its problem+json or from whatever else came. */
export async function problemOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { detail?: unknown; title?: unknown };
  const detail = [body.detail, body.title].find((text) => typeof text === 'string');
  return new ApiError(response.status, String(detail ?? `Tillwatch answered ${response.status}`));
}

async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<Response> {
  const headers = { ...authorization(), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) };
  const response = await fetch(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal !== undefined && { signal }),
  }).catch(() => {
    throw new ApiError(0, 'Tillwatch does not answer. Nothing was changed; try again when it is back.');
  });
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return (await (await ask(method, path, body)).json()) as T;
}

/** Hands on each line of an answer of lines of JSON as it comes. @throws what `take` throws, too */
export async function postStream<T>(
  path: string,
  body: unknown,
  take: (line: T) => void,
  signal: AbortSignal,
): Promise<void> {
  const response = await ask('POST', `api/v1/${path}`, body, signal);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    const lines = `${rest}${part.value}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(JSON.parse(line) as T);
  }
}

/**
 * Reads under way at the most. A browser opens six connections to a host, of which the stream holds
 * one: without a limit, what a person asks for would wait for panels that wait for a slow
 * Prometheus.
 */
const MOST_READS = 4;
let reading = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(read: () => Promise<T>): Promise<T> {
  if (reading === MOST_READS) await new Promise<void>((turn) => waiting.push(turn));
  else reading++;
  try {
    return await read();
  } finally {
    const next = waiting.shift();
    if (next === undefined) reading--;
    else next();
  }
}

/**
 * Requests of the panels. Paths are relative to the page, so that it works below a proxy's prefix
 * too. All throw ApiError.
 */
export const get = <T>(path: string): Promise<T> => inTurn(() => call('GET', `api/v1/${path}`));
export const post = <T>(path: string, body: unknown): Promise<T> => call('POST', `api/v1/${path}`, body);
export const remove = <T>(path: string): Promise<T> => call('DELETE', `api/v1/${path}`);

export async function download(path: string): Promise<Blob> {
  const response = await fetch(`api/v1/${path}`, { headers: authorization() });
  if (!response.ok) throw await problemOf(response);
  return response.blob();
}
