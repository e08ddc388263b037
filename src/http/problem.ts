import { STATUS_CODES } from 'node:http';
import type { Context, Middleware } from 'koa';
import { AlertmanagerError } from '../alerting/alertmanager.ts';
import type { FieldError } from '../intake/report.ts';
import { Conflict, KeyReused, LedgerUnavailable } from '../ledger/ledger.ts';
import { PrometheusError } from '../prometheus/client.ts';
import { type Log, messageOf } from '../runtime/log.ts';
import { NotStarted } from '../simulator/demo.ts';
import { closeUnread, send } from './send.ts';

/** An answer other than the one asked for, as RFC 9457 describes it. */
export class Problem extends Error {
  override name = 'Problem';
  readonly status: number;
  readonly errors: FieldError[] | undefined;
  readonly headers: Record<string, string>;
  constructor(
    status: number,
    detail: string,
    options: { errors?: FieldError[]; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.status = status;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

/** 422 that names every field in its detail too, for those who read only that. */
export function invalid(errors: FieldError[]): Problem {
  const named = errors.map(({ path, message }) => (path === '' ? `the body ${message}` : `${path}: ${message}`));
  return new Problem(422, named.join('; '), { errors });
}

/**
 * Turns an expected error into an answer of HTTP. Any other error becomes a 500, and its cause
 * stays in the log.
 */
export function toProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Conflict)
    return new Problem(409, error.message, { errors: [{ path: error.path, message: error.message }] });
  if (error instanceof KeyReused) return new Problem(409, error.message);
  if (error instanceof LedgerUnavailable) return new Problem(503, error.message, { headers: { 'Retry-After': '5' } });
  if (error instanceof AlertmanagerError)
    return new Problem(503, `${error.message}. Is it running at --alertmanager-url?`, {
      headers: { 'Retry-After': '15' },
    });
  if (error instanceof NotStarted) return new Problem(error.runs ? 409 : 422, error.message);
  if (error instanceof PrometheusError) return new Problem(503, error.message, { headers: { 'Retry-After': '15' } });
  const { status, expose, headers } = error as { status?: number; expose?: boolean; headers?: Record<string, string> };
  if (status !== undefined && status >= 400 && status < 500)
    return new Problem(status, expose === false ? (STATUS_CODES[status] ?? '') : messageOf(error), {
      ...(headers !== undefined && { headers }),
    });
  return new Problem(500, 'an error inside tillwatch; its log says which');
}

/** Answers what was thrown while a request was handled; a 500 goes to the log. */
export async function answerProblem(ctx: Context, error: unknown, log: Log): Promise<void> {
  const { status, message: detail, errors, headers } = toProblem(error);
  if (status === 500) log('error', `${ctx.method} ${ctx.path}: ${error instanceof Error ? error.stack : error}`);
  if (ctx.headerSent) return;
  await closeUnread(ctx);
  const title = STATUS_CODES[status] ?? 'Error';
  const text = JSON.stringify({ type: 'about:blank', title, status, detail, ...(errors && { errors }) });
  send(ctx, status, { 'Content-Type': 'application/problem+json', ...headers }, text);
}

/** Answers every error with problem+json. */
export function problems(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      await answerProblem(ctx as Context, error, log);
    }
  };
}
