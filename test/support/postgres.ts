import { type Postgres, startPostgresIn } from './postgres-server.ts';
import { temporaryFolder } from './service.ts';

export type { Postgres };

/** A PostgreSQL of the test's own, in a folder that goes when the test file ends. */
export const startPostgres = (settings: Record<string, string> = {}): Promise<Postgres> =>
  startPostgresIn(temporaryFolder('postgres'), settings);
