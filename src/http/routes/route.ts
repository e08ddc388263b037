import type { Context } from 'koa';
import { z } from 'zod';
import type { ZodOpenApiOperationObject } from 'zod-openapi';
import type { AlertPathWatch } from '../../alerting/pipeline-health.ts';
import type { Calendar } from '../../calendar/calendar.ts';
import type { Config } from '../../config/config.ts';
import { DIMENSIONS } from '../../domain/names.ts';
import type { Mapping } from '../../intake/mapping.ts';
import { errorsOf } from '../../intake/report.ts';
import type { BaselineWatch } from '../../judge/baseline.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Health } from '../../metrics/health.ts';
import type { Prometheus } from '../../prometheus/client.ts';
import type { Log } from '../../runtime/log.ts';
import type { Demo } from '../../simulator/demo.ts';
import type { Role } from '../access.ts';
import type { Events } from '../events.ts';
import { invalid } from '../problem.ts';
import type { RecentChanges } from '../recent-changes.ts';

/** The services that routes work with. */
export interface Services {
  config: Config;
  ledger: Ledger;
  prometheus: Prometheus;
  baseline: BaselineWatch;
  health: Health;
  events: Events;
  path: AlertPathWatch;
  log: Log;
  /** Aborted when the service has been told to stop, and still answers. */
  stopping: AbortSignal;
  demo?: Demo | undefined;
  calendar: Calendar;
  changes: RecentChanges;
  /** The way to read bodies of another shape. */
  mapping?: Mapping | undefined;
}

/**
 * A route with its own documentation, so that what is served and what is documented are one list.
 */
export interface Route {
  method: 'get' | 'post' | 'delete';
  /** A part such as `:id` stands for any text without a slash: `ctx.params.id`, not yet checked. */
  path: string;
  /** The role that may use it; everybody may when left out. */
  role?: Role;
  /** Content types of the body that it takes; none when left out. */
  accepts?: readonly string[];
  /** The bytes of the longest body that it takes; 4 MB when left out. */
  maxBody?: number;
  /** Its answer is small, or bounded by itself: any number of them may be under way. */
  light?: boolean;
  /**
   * It is asked often and sends its answers itself (send.ts): at exactly this path it is served
   * beside Koa's middleware.
   */
  direct?: boolean;
  /** The field of its answer that is another at each reading: its ETag leaves it out. */
  changing?: string;
  operation: ZodOpenApiOperationObject;
  handle(ctx: Context): Promise<void> | void;
}

/**
 * Dimensions as query parameters of their own.
 * @param otherwise what is answered when one is left out
 */
export function dimensionParameters(
  { dimensions }: Config,
  otherwise: string,
): Record<string, z.ZodOptional<z.ZodString>> {
  const named = [...new Set([...dimensions, ...DIMENSIONS])].map((name) => {
    const value = z.string({ error: 'must be given once' }).max(1000).optional();
    return [name, value.meta({ description: `Only this value of the label ${name}; ${otherwise} when left out` })];
  });
  return Object.fromEntries(named);
}

/** The query parameters of a request. @throws Problem 422 that names each wrong one */
export function readQuery<S extends z.ZodType>(ctx: Context, schema: S): z.output<S> {
  const result = schema.safeParse({ ...ctx.query });
  if (!result.success) throw invalid(errorsOf(result.error.issues, []));
  return result.data;
}

/** The JSON body of a request. @throws Problem 422 that names each wrong field */
export function readBody<S extends z.ZodType>(ctx: Context, schema: S): z.output<S> {
  const result = schema.safeParse(ctx.request.body);
  if (!result.success) throw invalid(errorsOf(result.error.issues, []));
  return result.data;
}
