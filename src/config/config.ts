import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { UsageError } from './usage-error.ts';

/** Reads `90s`, `15m`, `24h`, `7d` or plain seconds as seconds. */
const duration = z
  .string()
  .regex(/^\d+(s|m|h|d)?$/, 'must be a number of seconds or a number with s, m, h or d, such as 15m')
  .transform((text) => {
    const unit = { s: 1, m: 60, h: 3600, d: 86400 }[text.at(-1) ?? ''] ?? 1;
    return Number.parseInt(text, 10) * unit;
  });

const whole = (least: number, most: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((n) => n >= least && n <= most, `must be from ${least} to ${most}`);

const httpUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'must be an http or https URL')
  .transform((text) => text.replace(/\/+$/, ''));

const timeZone = z.string().refine((name) => {
  if (/^[+-]\d{1,2}(:?\d{2})?$/.test(name)) return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}, 'is no time zone; it must be such as America/Sao_Paulo, UTC or -03:00');

const labelNames = z.string().transform((text, context) => {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names.filter((name) => name !== '')) {
    const taken = [
      'status',
      'auth_code',
      'window',
      'job',
      'instance',
      'le',
      'severity',
      'service',
      'alertname',
      'escalation',
      'level',
    ];
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name) || name.startsWith('__'))
      context.addIssue({ code: 'custom', message: `"${name}" is not a Prometheus label name` });
    else if (taken.includes(name)) context.addIssue({ code: 'custom', message: `"${name}" has a meaning of its own` });
  }
  return [...new Set(names.filter((name) => name !== ''))].sort();
});

/** Names of hosts, each without scheme and port. */
const hostNames = z.string().transform((text, context) => {
  const names = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
  for (const name of names)
    if (!/^([a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])$/.test(name))
      context.addIssue({ code: 'custom', message: `"${name}" is not a host name; give it without scheme and port` });
  return names;
});

const flag = z.enum(['true', 'false', '1', '0', '']).transform((text) => text === 'true' || text === '1');

interface Setting {
  /** Long flag without its dashes; the environment variable follows from it. */
  flag: string;
  /** Placeholder in the help, none for a switch. */
  value?: string;
  help: string;
  default: string;
  schema: z.ZodType<unknown, string>;
}

const setting = <S extends z.ZodType<unknown, string>>(s: Omit<Setting, 'schema'> & { schema: S }) => s;

/** The one table of settings: flags, environment variables, help and checks all follow from it. */
export const SETTINGS = {
  host: setting({
    flag: 'host',
    value: 'ADDRESS',
    help: 'address to listen on; anything but loopback needs --tokens-file',
    default: '127.0.0.1',
    schema: z.string().min(1, 'must not be empty'),
  }),
  port: setting({
    flag: 'port',
    value: 'PORT',
    help: 'port to listen on, 0 for a free one',
    default: '8080',
    schema: whole(0, 65535),
  }),
  allowedHosts: setting({
    flag: 'allowed-hosts',
    value: 'NAMES',
    help: 'names under which the service may be called besides its own address, comma separated',
    default: '',
    schema: hostNames,
  }),
  data: setting({
    flag: 'data',
    value: 'DIR',
    help: 'folder that keeps the ledger (and Prometheus, for up)',
    default: './data',
    schema: z.string().min(1, 'must not be empty'),
  }),
  timezone: setting({
    flag: 'timezone',
    value: 'ZONE',
    help: 'time zone of the traffic and of --calendar, such as America/Sao_Paulo (docs/calendar.md)',
    default: 'UTC',
    schema: timeZone,
  }),
  calendar: setting({
    flag: 'calendar',
    value: 'FILE',
    help: 'YAML of holidays, other days, planned windows and campaigns (docs/calendar.md)',
    default: '',
    schema: z.string(),
  }),
  mapping: setting({
    flag: 'mapping',
    value: 'FILE',
    help: 'YAML that says how reports of another shape are read (docs/shippers.md)',
    default: '',
    schema: z.string(),
  }),
  ledger: setting({
    flag: 'ledger',
    value: 'URL',
    help: 'postgres://USER@HOST/DATABASE that several services share; empty for ledger.sqlite in the data folder',
    default: '',
    schema: z
      .string()
      .refine((text) => text === '' || (URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol)), {
        error: 'must be empty or a URL such as postgres://user@host/database',
      }),
  }),
  keep: setting({
    flag: 'keep',
    value: 'DURATION',
    help: 'how long the ledger keeps counts by minute',
    default: '35d',
    schema: duration,
  }),
  drain: setting({
    flag: 'drain',
    value: 'DURATION',
    help: 'how long a service that stops says that it is not ready and goes on answering',
    default: '5s',
    schema: duration,
  }),
  prometheusUrl: setting({
    flag: 'prometheus-url',
    value: 'URL',
    help: 'Prometheus that evaluates the rules',
    default: 'http://127.0.0.1:9090',
    schema: httpUrl,
  }),
  alertmanagerUrl: setting({
    flag: 'alertmanager-url',
    value: 'URL',
    help: 'Alertmanager that sends the messages',
    default: 'http://127.0.0.1:9093',
    schema: httpUrl,
  }),
  prometheusPort: setting({
    flag: 'prometheus-port',
    value: 'PORT',
    help: 'port of the Prometheus that is started, 0 for a free one',
    default: '9090',
    schema: whole(0, 65535),
  }),
  alertmanagerPort: setting({
    flag: 'alertmanager-port',
    value: 'PORT',
    help: 'port of the Alertmanager that is started, 0 for a free one',
    default: '9093',
    schema: whole(0, 65535),
  }),
  dimensions: setting({
    flag: 'dimensions',
    value: 'NAMES',
    help: 'extra label names that reports may carry, comma separated',
    default: '',
    schema: labelNames,
  }),
  maxSources: setting({
    flag: 'max-sources',
    value: 'N',
    help: 'most sources whose last report is exposed; any further one becomes "other"',
    default: '100',
    schema: whole(1, 10_000),
  }),
  maxSeries: setting({
    flag: 'max-series',
    value: 'N',
    help: 'most series of transactions_total; beyond it a label value becomes "other"',
    default: '10000',
    schema: whole(1, 1_000_000),
  }),
  maxCount: setting({
    flag: 'max-count',
    value: 'N',
    help: 'largest count that a report may carry',
    default: '10000000',
    schema: whole(1, Number.MAX_SAFE_INTEGER),
  }),
  lateness: setting({
    flag: 'lateness',
    value: 'DURATION',
    help: 'reports older than this count as late, not as current',
    default: '15m',
    schema: duration,
  }),
  tokensFile: setting({
    flag: 'tokens-file',
    value: 'FILE',
    help: 'access tokens, one "ROLE TOKEN" a line; roles: ingest, read, webhook, operate',
    default: '',
    schema: z.string(),
  }),
  rateLimit: setting({
    flag: 'rate-limit',
    value: 'N',
    help: 'requests a second of one token, or of one address without a token; 0 for any; none on a loopback address',
    default: '2000',
    schema: whole(0, 1_000_000),
  }),
  insecure: setting({
    flag: 'insecure',
    help: 'listen on a public address without tokens',
    default: 'false',
    schema: flag,
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Config = Readonly<{ [K in SettingName]: z.output<(typeof SETTINGS)[K]['schema']> }>;

/** The environment variable of a flag: `prometheus-url` -> `TILLWATCH_PROMETHEUS_URL`. */
export const variable = (flagName: string): string => `TILLWATCH_${flagName.toUpperCase().replaceAll('-', '_')}`;

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** An environment variable, or the trimmed content of the file that its `_FILE` twin names. */
function fromEnvironment(name: string, env: NodeJS.ProcessEnv, problems: string[]): string | undefined {
  const path = env[`${name}_FILE`];
  if (path === undefined || path === '') return env[name];
  if (env[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set: keep one`);
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    problems.push(`${name}_FILE: cannot read ${path}: ${(error as Error).message}`);
    return undefined;
  }
}

function readSetting(name: SettingName, flags: Flags, env: NodeJS.ProcessEnv, problems: string[]): unknown {
  const { flag: flagName, default: fallback, schema } = SETTINGS[name];
  const given = flags[name];
  // TILLWATCH_TOKENS_FILE is a setting of its own, not the `_FILE` twin of a setting called tokens.
  const text = given === undefined ? fromEnvironment(variable(flagName), env, problems) : String(given);
  const result = schema.safeParse(text === undefined || text === '' ? fallback : text);
  if (result.success) return result.data;
  const where = given === undefined ? variable(flagName) : `--${flagName}`;
  for (const issue of result.error.issues) problems.push(`${where}: ${issue.message} (got "${text}")`);
  return undefined;
}

/** True where somebody set it, by flag or by environment. */
export function isGiven(name: SettingName, flags: Flags, env: NodeJS.ProcessEnv): boolean {
  const twin = variable(SETTINGS[name].flag);
  return [flags[name], env[twin], env[`${twin}_FILE`]].some((value) => value !== undefined && value !== '');
}

/** Flags by setting name, as the command line gives them. */
export type Flags = { [K in SettingName]?: string | boolean | undefined };

/**
 * Reads some settings, for commands that do not care what else the environment holds.
 * @throws UsageError
 */
function readSome<K extends SettingName>(names: readonly K[], flags: Flags, env: NodeJS.ProcessEnv): Pick<Config, K> {
  const problems: string[] = [];
  const entries = names.map((name) => [name, readSetting(name, flags, env, problems)]);
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return Object.fromEntries(entries);
}

/** The zone and the calendar's file, for commands that only work on files. @throws UsageError */
export function readCalendarSettings(flags: Flags, env: NodeJS.ProcessEnv): Pick<Config, 'timezone' | 'calendar'> {
  return readSome(['timezone', 'calendar'], flags, env);
}

/**
 * The calendar's file, empty for none, for commands whose --timezone is that of their files.
 * @throws UsageError
 */
export const readCalendarFile = (flags: Flags, env: NodeJS.ProcessEnv): string =>
  readSome(['calendar'], flags, env).calendar;

/** The one setting of commands that only work on files. @throws UsageError */
export const readDataDir = (flags: Flags, env: NodeJS.ProcessEnv): string => readSome(['data'], flags, env).data;

/** The place of the ledger: its folder, or the URL of its PostgreSQL. @throws UsageError */
export function readLedgerPlace(flags: Flags, env: NodeJS.ProcessEnv): string {
  const { data, ledger } = readSome(['data', 'ledger'], flags, env);
  return ledger === '' ? data : ledger;
}

/**
 * Flags win over environment variables, these over defaults.
 * @throws UsageError that lists every problem.
 */
export function readConfig(flags: Flags, env: NodeJS.ProcessEnv): Config {
  const problems: string[] = [];
  const entries = (Object.keys(SETTINGS) as SettingName[]).map((name) => [
    name,
    readSetting(name, flags, env, problems),
  ]);
  const config = Object.fromEntries(entries) as Config;
  // A setting that is wrong is undefined here, and complained of already.
  const open = config.host !== undefined && !isLoopback(config.host);
  if (open && config.tokensFile === '' && config.insecure === false)
    problems.push(
      `--host ${config.host}: not a loopback address, so anyone who reaches it could post and read. Give --tokens-file FILE, or --insecure if a proxy or a private network guards it`,
    );
  if (problems.length > 0) throw new UsageError(problems.join('\n'));
  return Object.freeze(config);
}
