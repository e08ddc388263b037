import { randomUUID } from 'node:crypto';
import type { Engine } from './engine.ts';
import { creating, upgrading, VERSION } from './schema.ts';

/**
 * Begins a transaction and makes the tables where there are none.
 * @returns whether there were none
 */
export async function beginNew(engine: Engine): Promise<boolean> {
  const { tables, exclusive } = engine.dialect;
  const names = (await engine.begin([...exclusive, [tables]])).at(-1) ?? [];
  if (names.some(({ name }) => name === 'ledger')) return false;
  await engine.run(creating(engine.dialect));
  return true;
}

/**
 * Brings the tables to the newest version, making them where there are none.
 * @throws Error where a newer version made them
 */
export async function migrate(engine: Engine, now: number): Promise<void> {
  if (await beginNew(engine))
    return engine.commit([
      ['INSERT INTO ledger (id, version, commits, time, clock) VALUES ($1, $2, 0, $3, $3)', randomUUID(), VERSION, now],
    ]);
  const [[ledger] = []] = await engine.run([['SELECT version FROM ledger']]);
  const version = Number(ledger?.version);
  if (version > VERSION)
    throw new Error(
      `the ledger ${engine.name} is of version ${version}, which a newer tillwatch made; this one knows ${VERSION}: start the newer one`,
    );
  await engine.commit([...upgrading(version, engine.dialect), ['UPDATE ledger SET version = $1', VERSION]]);
}
