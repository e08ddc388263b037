import { randomUUID } from 'node:crypto';
import { type Engine, type Statement, spell } from './engine.ts';
import { MIGRATIONS } from './schema.ts';

/**
 * Brings the tables to the newest version, making them where there are none.
 * @throws Error where a newer version made them
 */
export async function migrate(engine: Engine, now: number): Promise<void> {
  const { tables, exclusive } = engine.dialect;
  const rows = (await engine.begin([...exclusive.map((sql): Statement => [sql]), [tables]])).at(-1) ?? [];
  const isNew = !rows.some(({ name }) => name === 'ledger');
  const [[ledger] = []] = isNew ? [] : await engine.run([['SELECT version FROM ledger']]);
  const version = Number(ledger?.version ?? 0);
  if (version > MIGRATIONS.length)
    throw new Error(
      `the ledger ${engine.name} is of version ${version}, which a newer tillwatch made; this one knows ${MIGRATIONS.length}: start the newer one`,
    );
  for (const sql of MIGRATIONS.slice(version).flat()) await engine.run([[spell(sql, engine.dialect)]]);
  const first: Statement = [
    'INSERT INTO ledger (one, id, version, commits, time, clock) VALUES (1, $1, 0, 0, CAST($2 AS BIGINT), CAST($3 AS BIGINT))',
    randomUUID(),
    now,
    now,
  ];
  const done: Statement = ['UPDATE ledger SET version = CAST($1 AS INTEGER)', MIGRATIONS.length];
  await engine.commit(isNew ? [first, done] : version < MIGRATIONS.length ? [done] : []);
}
