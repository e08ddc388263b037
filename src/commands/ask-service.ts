import { readFileSync } from 'node:fs';
import { UsageError } from '../config/usage-error.ts';
import { messageOf } from '../runtime/log.ts';
import { upstreamAt, whyNot } from '../runtime/upstream.ts';

/** Flags that say where a running service is, and with which token it is asked. */
export interface ServiceFlags {
  url?: string;
  tokenFile?: string;
}

export const DEFAULT_URL = 'http://127.0.0.1:8080';
export const URL_VARIABLE = 'TILLWATCH_URL';

function tokenIn(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`--token-file: cannot read ${file}: ${messageOf(error)}`);
  }
}

/** Asks a running service. The answer is its JSON. @throws Error that says what to do */
export type AskService = (method: 'GET' | 'POST', path: string, body?: object) => Promise<unknown>;

/** @throws UsageError */
export function serviceAt({ url, tokenFile }: ServiceFlags, env: NodeJS.ProcessEnv): AskService {
  const base = (url ?? env[URL_VARIABLE] ?? DEFAULT_URL).replace(/\/+$/, '');
  if (!URL.canParse(base) || !/^https?:$/.test(new URL(base).protocol))
    throw new UsageError(`--url: "${base}" must be an http or https URL, such as ${DEFAULT_URL}`);
  const { host } = new URL(base);
  const authorization = tokenFile === undefined ? {} : { Authorization: `Bearer ${tokenIn(tokenFile)}` };
  const upstream = upstreamAt(base);
  return async (method, path, body) => {
    const headers = { ...authorization, ...(body !== undefined && { 'Content-Type': 'application/json' }) };
    const response = await upstream
      .fetch(path, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
      .catch((error: unknown) => {
        throw new Error(`no Tillwatch answers at ${host}: ${whyNot(error)}. Is it running? --url says where`);
      });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return answer;
    const { detail = `it answered ${response.status}` } = (answer ?? {}) as { detail?: string };
    throw new Error(`${host}: ${detail}${response.status === 401 ? ' (--token-file FILE)' : ''}`);
  };
}
