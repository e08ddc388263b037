import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, type Flags, readConfig } from '../src/config/config.ts';
import { UsageError } from '../src/config/usage-error.ts';
import { temporaryFolder } from './support/service.ts';

const read = (flags: Partial<Flags>, env: NodeJS.ProcessEnv = {}): Config => readConfig(flags as Flags, env);

function problemsOf(flags: Partial<Flags>, env: NodeJS.ProcessEnv = {}): string[] {
  try {
    read(flags, env);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split('\n');
    throw error;
  }
  return [];
}

function fileOf(text: string): string {
  const file = join(temporaryFolder('config'), 'value');
  writeFileSync(file, text);
  return file;
}

test('without flags and environment the defaults of the documentation hold', () => {
  expect(read({})).toEqual({
    host: '127.0.0.1',
    port: 8080,
    data: './data',
    prometheusUrl: 'http://127.0.0.1:9090',
    alertmanagerUrl: 'http://127.0.0.1:9093',
    prometheusPort: 9090,
    alertmanagerPort: 9093,
    dimensions: [],
    timezone: 'UTC',
    calendar: '',
    maxSources: 100,
    maxSeries: 10_000,
    rateLimit: 2000,
    lateness: 900,
    tokensFile: '',
    insecure: false,
    allowedHosts: [],
    maxCount: 10_000_000,
    mapping: '',
    ledger: '',
    keep: 35 * 86_400,
    drain: 5,
  });
  expect(Object.isFrozen(read({}))).toBe(true);
});

describe('where a setting comes from', () => {
  test('the environment', () => {
    const env = {
      TILLWATCH_HOST: 'localhost',
      TILLWATCH_PORT: '0',
      TILLWATCH_DATA: '/var/lib/tillwatch',
      TILLWATCH_PROMETHEUS_URL: 'https://prometheus.example/base/',
      TILLWATCH_ALERTMANAGER_URL: 'http://[::1]:9093',
      TILLWATCH_DIMENSIONS: ' merchant, acquirer,merchant ,',
      TILLWATCH_TOKENS_FILE: '/etc/tokens',
    };
    expect(read({}, env)).toMatchObject({
      host: 'localhost',
      port: 0,
      data: '/var/lib/tillwatch',
      prometheusUrl: 'https://prometheus.example/base',
      alertmanagerUrl: 'http://[::1]:9093',
      dimensions: ['acquirer', 'merchant'],
      tokensFile: '/etc/tokens',
    });
  });

  test('flags win over the environment, even over a broken one', () => {
    const env = { TILLWATCH_PORT: '1', TILLWATCH_DATA_FILE: '/nowhere/at/all' };
    expect(read({ port: '2', data: 'here' }, env)).toMatchObject({ port: 2, data: 'here' });
  });

  test('a file that the environment names, without the end of its line', () => {
    expect(read({}, { TILLWATCH_PROMETHEUS_URL_FILE: fileOf('http://prometheus:9090\n') }).prometheusUrl).toBe(
      'http://prometheus:9090',
    );
  });

  test('nothing at all counts as not given', () => {
    expect(read({ dimensions: '' }, { TILLWATCH_PORT: '', TILLWATCH_DATA_FILE: '' })).toMatchObject({
      port: 8080,
      data: './data',
    });
  });
});

test.each([
  ['90', 90],
  ['90s', 90],
  ['15m', 900],
  ['24h', 86_400],
  ['7d', 604_800],
])('%s are %i seconds', (lateness, seconds) => {
  expect(read({ lateness }).lateness).toBe(seconds);
});

test.each<[Partial<Flags>, RegExp]>([
  [{ port: '65536' }, /^--port: must be from 0 to 65535 \(got "65536"\)$/],
  [{ port: '-1' }, /^--port: must be a whole number/],
  [{ port: '80a' }, /^--port: must be a whole number/],
  [{ prometheusUrl: 'ftp://prometheus' }, /^--prometheus-url: must be an http or https URL/],
  [{ alertmanagerUrl: 'alertmanager:9093' }, /^--alertmanager-url: must be an http or https URL/],
  [{ lateness: '15 minutes' }, /^--lateness: .*such as 15m/],
  [{ maxSeries: '0' }, /^--max-series: must be from 1/],
  [{ dimensions: 'acquirer,1st' }, /^--dimensions: "1st" is not a Prometheus label name/],
  [{ dimensions: '__name__' }, /^--dimensions: "__name__" is not a Prometheus label name/],
  [{ dimensions: 'status' }, /^--dimensions: "status" has a meaning of its own/],
])('%j is refused', (flags, message) => {
  expect(problemsOf(flags)).toEqual([expect.stringMatching(message)]);
});

test('every problem is reported at once, each by the name under which it was given', () => {
  const env = {
    TILLWATCH_PORT: 'http',
    TILLWATCH_DIMENSIONS: 'a-b,le',
    TILLWATCH_ALERTMANAGER_URL: 'none',
    TILLWATCH_ALERTMANAGER_URL_FILE: fileOf('http://alertmanager:9093'),
    TILLWATCH_DATA_FILE: '/nowhere/at/all',
    TILLWATCH_INSECURE: 'perhaps',
  };
  const problems = problemsOf({ lateness: 'soon' }, env);
  for (const start of [
    'TILLWATCH_PORT: ',
    'TILLWATCH_DIMENSIONS: "a-b"',
    'TILLWATCH_DIMENSIONS: "le"',
    'TILLWATCH_ALERTMANAGER_URL and TILLWATCH_ALERTMANAGER_URL_FILE are both set',
    'TILLWATCH_DATA_FILE: cannot read /nowhere/at/all',
    'TILLWATCH_INSECURE: ',
    '--lateness: ',
  ])
    expect(problems).toContainEqual(expect.stringContaining(start));
  expect(problems).toHaveLength(7);
});

test('an unguarded address is reported with the rest', () => {
  expect(problemsOf({ host: '0.0.0.0', port: 'x' })).toEqual([
    expect.stringMatching(/^--port/),
    expect.stringMatching(/^--host 0\.0\.0\.0: not a loopback address/),
  ]);
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) expect(problemsOf({ host })).toEqual([]);
  for (const host of ['127.0.0.1.example.com', '10.0.0.1', '::', 'example.com'])
    expect(problemsOf({ host })).toHaveLength(1);
  expect(problemsOf({ host: '0.0.0.0', insecure: true })).toEqual([]);
  expect(problemsOf({ host: '0.0.0.0', tokensFile: 't' })).toEqual([]);
});
