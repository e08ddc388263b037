import { once } from 'node:events';
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import type { AlertPath } from '../alerting/pipeline-health.ts';
import type { Config } from '../config/config.ts';
import { FILE } from '../ledger/sqlite/sqlite.ts';
import { verifyLedger } from '../ledger/tools/verify.ts';
import { messageOf } from '../runtime/log.ts';
import { VERSION } from '../runtime/project.ts';
import { upstreamAt, whyNot } from '../runtime/upstream.ts';
import { awaiting, type Looked, well, wrong } from './finding.ts';
import { atLeast } from './prometheus.ts';

const OLDEST_NODE = '20.19';
const LEAST_FREE = 512 * 1024 * 1024;

/** Others than the owner may read it. */
const isOpen = (path: string): boolean => process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;

/** The folder that will hold it, where it does not exist yet. */
const existing = (path: string): string => (existsSync(path) ? path : existing(dirname(path)));

function folder(data: string): Looked[] {
  const place = resolve(data);
  const what = `the data folder ${place} can be written`;
  try {
    accessSync(existing(place), constants.W_OK | constants.X_OK);
  } catch (error) {
    return [wrong(what, `${messageOf(error)}. Give its user the right (chown), or another folder by --data`)];
  }
  const { bavail, bsize } = statfsSync(existing(place));
  const room = 'there is room on its disk';
  const file = join(place, FILE);
  const only = 'only its owner reads the ledger';
  return [
    well(what),
    bavail * bsize >= LEAST_FREE
      ? well(room)
      : wrong(
          room,
          `${Math.round((bavail * bsize) / 1024 / 1024)} MB are free: the ledger stops taking reports when it is full`,
        ),
    ...(existsSync(file) ? [isOpen(file) ? wrong(only, `others may read ${file}: chmod 600 it`) : well(only)] : []),
  ];
}

function tokens(file: string): Looked[] {
  if (file === '') return [];
  const what = 'only its owner reads the file of tokens';
  if (!existsSync(file)) return [wrong(what, `${file} does not exist (--tokens-file)`)];
  return [isOpen(file) ? wrong(what, `others may read ${file}: chmod 600 it`) : well(what)];
}

async function ledger({ ledger: url, data }: Config): Promise<Looked[]> {
  const what = 'the ledger is in order';
  if (url === '' && !existsSync(join(data, FILE))) return [well('there is no ledger yet: the first start makes it')];
  try {
    const { findings } = await verifyLedger(url === '' ? data : url);
    const bad = findings.filter((one) => one.wrong.length > 0);
    return [
      bad.length === 0
        ? well(what)
        : wrong(
            what,
            `${bad[0]?.check}: it is not so. tillwatch ledger verify says more; restore a backup (docs/operations.md)`,
          ),
    ];
  } catch (error) {
    return [wrong(what, messageOf(error))];
  }
}

async function isFree(port: number, host: string): Promise<boolean> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  return true;
}

/**
 * The service at its address: it runs and is ready, it does not run, or another program has its
 * port.
 */
async function service({ host, port }: Config): Promise<Looked[]> {
  const address = `${host}:${port}`;
  const what = `Tillwatch is ready at ${address}`;
  const asked = await upstreamAt(`http://${address}`)
    .fetch('/-/ready', { signal: AbortSignal.timeout(5000) })
    .then(async (response) => ({ ok: response.ok, body: await response.json().catch(() => ({})) }))
    .catch((error: unknown) => ({ failed: whyNot(error) }));
  if ('failed' in asked) {
    if (await isFree(port, host))
      return [wrong(what, 'nothing runs there: start it (tillwatch up, or serve), or say by --port where it runs')];
    return [wrong(what, `another program has the port (${asked.failed}): stop it, or give Tillwatch another --port`)];
  }
  const { detail, path } = asked.body as { detail?: string; path?: AlertPath };
  if (!asked.ok) return [wrong(what, detail ?? 'what answers there is no Tillwatch, or is not ready')];
  if (path === undefined)
    return [wrong(what, 'another program answers there: stop it, or give Tillwatch another --port')];
  const steps = Object.entries(path).map(([step, { ok, awaited, reason = 'not well' }]) => {
    const passing = `alerts pass ${step}`;
    if (ok) return well(passing);
    return awaited ? awaiting(passing, reason) : wrong(passing, reason);
  });
  return [well(what), ...steps];
}

/** Looks at this machine: the program, its folder, its ledger, its port. */
export async function lookAtMachine(config: Config): Promise<Looked[]> {
  const { node } = process.versions;
  const program = `Tillwatch ${VERSION} on Node ${node}`;
  return [
    atLeast(node, OLDEST_NODE)
      ? well(program)
      : wrong(program, `Node ${OLDEST_NODE} is the oldest that will do: update it`),
    ...folder(config.data),
    ...tokens(config.tokensFile),
    ...(await ledger(config)),
    ...(await service(config)),
  ];
}
