import { z } from 'zod';
import { abortable } from '../runtime/abortable.ts';
import { limitedText, TooLong } from '../runtime/limited-text.ts';
import { type Upstream, upstreamAt, whyNot } from '../runtime/upstream.ts';

/** Prometheus answered with an error, answered nonsense, or did not answer. */
export class PrometheusError extends Error {
  override name = 'PrometheusError';
}

/** [seconds since the epoch, value] as Prometheus sends them; the bounds are those of a Date. */
const sample = z.tuple([z.number().min(0).max(8.64e12), z.string()]);
const labels = z.record(z.string(), z.string());
const vector = z.object({
  resultType: z.literal('vector'),
  result: z.array(z.object({ metric: labels, value: sample })),
});
const matrix = z.object({
  resultType: z.literal('matrix'),
  result: z.array(z.object({ metric: labels, values: z.array(sample) })),
});
/** An alert that fires or is pending. */
export const alert = z
  .object({ labels, annotations: labels, state: z.string(), activeAt: z.string().optional(), value: z.string() })
  .meta({ id: 'Alert' });
const alerts = z.object({ alerts: z.array(alert) });
const rule = z
  .looseObject({
    type: z.enum(['recording', 'alerting']),
    name: z.string(),
    query: z.string(),
    health: z.string(),
    lastError: z.string().optional(),
    labels: labels.default({}),
    annotations: labels.default({}),
    /** `for` and `keep_firing_for`, in seconds. */
    duration: z.number().optional(),
    keepFiringFor: z.number().optional(),
    // As vmalert has them.
    keep_firing_for: z.number().optional(),
    evaluationTime: z.number().default(0),
  })
  .transform(({ keep_firing_for: kept, ...own }) => ({ keepFiringFor: kept, ...own }));
const rules = z.object({
  groups: z.array(
    z
      .object({
        name: z.string(),
        file: z.string(),
        /** Seconds between evaluations. */
        interval: z.number().default(60),
        lastEvaluation: z.string(),
        /** Seconds. vmalert has it of each rule alone. */
        evaluationTime: z.number().optional(),
        rules: z.array(rule),
      })
      .transform((group) => ({
        ...group,
        evaluationTime:
          group.evaluationTime ?? group.rules.reduce((sum, { evaluationTime }) => sum + evaluationTime, 0),
      })),
  ),
});

export interface Sample {
  labels: Record<string, string>;
  value: number;
}
export interface Range {
  labels: Record<string, string>;
  /** [seconds since the epoch, value] */
  points: [number, number][];
}
export type Alert = z.output<typeof alert>;

export type RuleGroup = z.output<typeof rules>['groups'][number];

export interface Prometheus {
  /** An instant query, now. */
  instant(query: string): Promise<Sample[]>;
  /** A range query; times and step in seconds. */
  range(query: string, from: number, to: number, step: number): Promise<Range[]>;
  /** Those that fire or are pending; it rejects where an engine does not know of them. */
  alerts(): Promise<Alert[]>;
  /** Every group of rules, as it was last evaluated. */
  rules(): Promise<RuleGroup[]>;
}

/** Numbers as Prometheus writes them: `+Inf`, `-Inf`, `NaN` and decimals. */
const number = (text: string): number => Number(text.replace('Inf', 'Infinity'));

/**
 * Longest answer that is read, in bytes. With the default limit of series an answer has 6 MB.
 * Parsing 32 MB holds up reports for a second.
 */
const MAX_ANSWER = 32 * 1024 * 1024;

/** The Watchdog fires at least. What is older than a minute was before a restart. */
const FIRING = 'count(timestamp(ALERTS{alertstate="firing"}) > time() - 60)';

const parsedJson = async (text: string): Promise<unknown> => JSON.parse(text);

export interface Question {
  upstream: Upstream;
  path: string;
  parameters: URLSearchParams;
  signal: AbortSignal;
  /** Longest answer that is read, in bytes. */
  most: number;
}

async function answerTo({ upstream, path, parameters, signal, most }: Question): Promise<[Response, string]> {
  const response = await upstream.fetch(`/api/v1/${path}?${parameters}`, { signal }).catch((error: unknown) => {
    throw new PrometheusError(`Prometheus does not answer: ${whyNot(error)}`);
  });
  const text = await abortable(limitedText(response, most), signal).catch((error: unknown) => {
    throw new PrometheusError(`Prometheus does not answer in full: ${whyNot(error)}`, { cause: error });
  });
  return [response, text];
}

async function get<S extends z.ZodType>(
  question: Omit<Question, 'signal' | 'most'>,
  schema: S,
  timeoutMs: number,
): Promise<z.output<S>> {
  const signal = AbortSignal.timeout(timeoutMs);
  const [response, text] = await answerTo({ ...question, signal, most: MAX_ANSWER });
  const body = await parsedJson(text).catch(() => {
    throw new PrometheusError(`Prometheus answered ${response.status} with no JSON`);
  });
  const parsed = z
    .object({ status: z.string(), error: z.string().optional(), data: schema.optional() })
    .safeParse(body);
  if (!parsed.success) throw new PrometheusError(`Prometheus answered ${response.status} with JSON of another kind`);
  const { status, error, data } = parsed.data;
  if (status !== 'success' || data === undefined) throw new PrometheusError(`Prometheus refused the query: ${error}`);
  return data as z.output<S>;
}

/**
 * A client of the Prometheus HTTP API at `url`; every call throws PrometheusError and gives up
 * after `timeoutMs`.
 */
export function createPrometheus(url: string, timeoutMs = 5000): Prometheus {
  const upstream = upstreamAt(url);
  function ask<S extends z.ZodType>(path: string, schema: S, parameters: Record<string, string> = {}) {
    return get({ upstream, path, parameters: new URLSearchParams(parameters) }, schema, timeoutMs);
  }
  async function instant(query: string): Promise<Sample[]> {
    const data = await ask('query', vector, { query });
    return data.result.map(({ metric, value }) => ({ labels: metric, value: number(value[1]) }));
  }
  return {
    instant,
    async range(query, from, to, step) {
      const parameters = { query, start: String(from), end: String(to), step: String(step) };
      const data = await ask('query_range', matrix, parameters);
      return data.result.map(({ metric, values }) => ({
        labels: metric,
        points: values.map(([time, value]) => [time, number(value)]),
      }));
    },
    async alerts() {
      const { alerts: listed } = await ask('alerts', alerts);
      // An engine whose rules another program evaluates keeps what they record, and may list none.
      if (listed.length === 0 && (await instant(FIRING)).length > 0)
        throw new PrometheusError(
          'Prometheus lists no alerts, though some fire. VictoriaMetrics needs -vmalert.proxyURL (docs/engines/victoriametrics.md)',
        );
      return listed;
    },
    rules: async () => (await ask('rules', rules)).groups,
  };
}

/** A question that Prometheus refused, or to which the answer is too long; the message says why. */
export class Refused extends Error {
  override name = 'Refused';
}

const refusal = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() });

/** Prometheus's error types where the question is at fault, and not Prometheus. */
const ASKERS = ['bad_data', 'execution', 'not_found'];

/**
 * Prometheus's answer to a question that somebody asks, as Prometheus wrote it.
 * @throws Refused or PrometheusError
 */
export async function askPrometheus(question: Question): Promise<string> {
  const [response, text] = await answerTo(question).catch((error: Error) => {
    if (error.cause instanceof TooLong) throw new Refused(`${error.cause.message}: ask for less of it`);
    throw error;
  });
  const body = await parsedJson(text).catch(() => undefined);
  if (response.ok && z.object({ status: z.literal('success') }).safeParse(body).success) return text;
  const refused = refusal.safeParse(body);
  if (!refused.success) throw new PrometheusError(`Prometheus answered ${response.status} with no answer of its API`);
  const { errorType, error } = refused.data;
  if (ASKERS.includes(errorType)) throw new Refused(error);
  throw new PrometheusError(`Prometheus gave up: ${error}`);
}
