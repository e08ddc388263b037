import { z } from 'zod';
import { abortable } from '../runtime/abortable.ts';
import { limitedText } from '../runtime/limited-text.ts';
import { upstreamAt, whyNot } from '../runtime/upstream.ts';

/** Alertmanager answered with an error, answered nonsense, or did not answer. */
export class AlertmanagerError extends Error {
  override name = 'AlertmanagerError';
  /** Its HTTP status, where there was an answer. */
  readonly status: number | undefined;
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** Longest answer that is read, in bytes: thousands of silences. */
const MAX_ANSWER = 32 * 1024 * 1024;

const matcher = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
});
const silence = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(['active', 'pending', 'expired']) }),
  matchers: z.array(matcher),
  startsAt: z.string(),
  endsAt: z.string(),
  createdBy: z.string(),
  comment: z.string(),
});
const text = z.record(z.string(), z.string());
const listedAlert = z.object({
  fingerprint: z.string(),
  labels: text,
  annotations: text,
  startsAt: z.string(),
  endsAt: z.string(),
  receivers: z.array(z.object({ name: z.string() })),
  status: z.object({
    state: z.string(),
    silencedBy: z.array(z.string()),
    inhibitedBy: z.array(z.string()),
  }),
});
/** An alert that fires, and the receivers that it is routed to. */
export type ListedAlert = z.output<typeof listedAlert>;

/** An alert as it is posted; times are ISO 8601. */
export interface PostedAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
  endsAt: string;
}
export type AlertmanagerSilence = z.output<typeof silence>;
export type Matcher = z.output<typeof matcher>;

export interface NewSilence {
  matchers: Matcher[];
  /** ISO 8601. */
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

/** The alerts that Alertmanager knows to fire, and the time since which it runs. */
export interface FiringAlerts {
  alerts: ListedAlert[];
  /** Milliseconds since the epoch. */
  startedAt: number;
}

export interface Alertmanager {
  /** Resolves when Alertmanager says that it is ready. */
  ready(): Promise<void>;
  /** Answers all alerts, silenced and inhibited ones too. */
  alerts(): Promise<FiringAlerts>;
  /** Answers the alerts of a name. */
  alertsOf(alertname: string): Promise<ListedAlert[]>;
  post(alerts: readonly PostedAlert[]): Promise<void>;
  /** Its configuration, with its secrets masked. */
  configuration(): Promise<string>;
  /** Its own metrics, in Prometheus's text format. */
  metrics(): Promise<string>;
  /** Answers all silences, expired ones too. */
  silences(): Promise<AlertmanagerSilence[]>;
  /** @returns its id */
  createSilence(silence: NewSilence): Promise<string>;
  /** Ends a silence now. */
  expireSilence(id: string): Promise<void>;
}

function parsed<S extends z.ZodType>(text: string, schema: S): z.output<S> {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new AlertmanagerError('Alertmanager answered with no JSON');
  }
  const result = schema.safeParse(body);
  if (!result.success) throw new AlertmanagerError('Alertmanager answered with JSON of another kind');
  return result.data;
}

/**
 * A client of the Alertmanager at `url`; every call throws AlertmanagerError and gives up after
 * `timeoutMs`.
 */
export function createAlertmanager(url: string, timeoutMs = 5000): Alertmanager {
  const upstream = upstreamAt(url);
  /** The body of an answer in the 200s. */
  async function ask(path: string, init: RequestInit = {}): Promise<string> {
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const response = await upstream.fetch(path, { ...init, signal });
      const body = await abortable(limitedText(response, MAX_ANSWER), signal);
      if (response.ok) return body;
      // The page of a proxy could name the address behind it, so that only JSON is quoted.
      const isJson = /json/.test(response.headers.get('content-type') ?? '');
      const why = isJson ? `: ${body.slice(0, 200)}` : '';
      throw new AlertmanagerError(`Alertmanager answered ${response.status}${why}`, response.status);
    } catch (error) {
      if (error instanceof AlertmanagerError) throw error;
      throw new AlertmanagerError(`Alertmanager does not answer: ${whyNot(error)}`);
    }
  }
  return {
    async ready() {
      await ask('/-/ready');
    },
    async alerts() {
      const [alerts, status] = await Promise.all([ask('/api/v2/alerts'), ask('/api/v2/status')]);
      return {
        alerts: parsed(alerts, z.array(listedAlert)),
        startedAt: Date.parse(parsed(status, z.object({ uptime: z.string() })).uptime),
      };
    },
    async alertsOf(alertname) {
      const filter = new URLSearchParams({ filter: `alertname=${JSON.stringify(alertname)}` });
      return parsed(await ask(`/api/v2/alerts?${filter}`), z.array(listedAlert));
    },
    async post(alerts) {
      const headers = { 'Content-Type': 'application/json' };
      await ask('/api/v2/alerts', { method: 'POST', headers, body: JSON.stringify(alerts) });
    },
    async configuration() {
      const status = z.object({ config: z.object({ original: z.string() }) });
      return parsed(await ask('/api/v2/status'), status).config.original;
    },
    metrics: () => ask('/metrics'),
    silences: async () => parsed(await ask('/api/v2/silences'), z.array(silence)),
    async createSilence(wanted) {
      const headers = { 'Content-Type': 'application/json' };
      const body = JSON.stringify(wanted);
      const answer = await ask('/api/v2/silences', { method: 'POST', headers, body });
      return parsed(answer, z.object({ silenceID: z.string() })).silenceID;
    },
    async expireSilence(id) {
      await ask(`/api/v2/silence/${encodeURIComponent(id)}`, { method: 'DELETE' });
    },
  };
}
