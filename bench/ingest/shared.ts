import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgresIn } from '../../test/support/postgres-server.ts';
import type { Options } from '../load/command.ts';
import { inTurns, median, type Row, ratio, row, whole } from '../load/rounds.ts';
import { startGenerator, startTillwatch } from '../load/service.ts';
import { report } from './requests.ts';

const REPLICAS = 3;
const CONNECTIONS = 50;

/** One service and three on a PostgreSQL of their own, and one on SQLite; requests a second. */
export async function sharedRows({ rounds, seconds, log }: Options): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tillwatch-bench-postgres-'));
  const postgres = await startPostgresIn(folder);
  const [alone, shared] = [await postgres.database('alone'), await postgres.database('shared')];
  const [sqlite, one, ...three] = await Promise.all([
    startTillwatch(),
    startTillwatch(['--ledger', alone]),
    ...Array.from({ length: REPLICAS }, () => startTillwatch(['--ledger', shared])),
  ]);
  const generators = three.map(startGenerator);
  const rate = async (ports: readonly number[], connections: number) => {
    const loads = ports.map((port, i) =>
      generators[i]?.run({ port, connections, seconds, request: report(`pos${i}`) }),
    );
    const done = await Promise.all(loads);
    return done.reduce((sum, result) => sum + (result === undefined ? 0 : result.requests / result.seconds), 0);
  };
  try {
    const measured = await inTurns(
      rounds,
      {
        sqlite: () => rate([sqlite.port], CONNECTIONS),
        one: () => rate([one.port], CONNECTIONS),
        crowded: () => rate([one.port], REPLICAS * CONNECTIONS),
        three: () =>
          rate(
            three.map(({ port }) => port),
            CONNECTIONS,
          ),
      },
      (line) => log(`PostgreSQL: ${line}`),
    );
    const per = (name: keyof typeof measured) => `${whole(median(measured[name]))}/s`;
    return [
      row('PostgreSQL, one replica, 50 connections', '>=', 5000, median(measured.one), '/s', per('one')),
      row(
        'PostgreSQL, one replica / SQLite',
        '>=',
        0.5,
        ratio(measured.one, measured.sqlite),
        'x',
        `${per('one')} by ${per('sqlite')}`,
      ),
      row(
        'PostgreSQL, three replicas / one, 150 connections',
        '>=',
        1.5,
        ratio(measured.three, measured.crowded),
        'x',
        `${per('three')} by ${per('crowded')}`,
      ),
    ];
  } finally {
    for (const generator of generators) generator.stop();
    await Promise.all([sqlite, one, ...three].map((service) => service.stop()));
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}
