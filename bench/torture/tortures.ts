import { access } from './access.ts';
import { clock } from './clock.ts';
import { dependencies } from './dependencies.ts';
import { disk } from './disk.ts';
import { fuzz } from './fuzz.ts';
import { hang } from './hang.ts';
import { hostile } from './hostile.ts';
import { journal } from './journal.ts';
import { labels } from './labels.ts';
import { files } from './ledger-files.ts';
import { receivers } from './receivers.ts';
import { replicas, rolling } from './replicas.ts';
import { retries } from './retries.ts';
import type { Torture } from './row.ts';
import { steady } from './steady.ts';
import { killed, terminated } from './stops.ts';
import { upstreams } from './upstreams.ts';

/** The rows of the table, in its order. */
export const TORTURES: readonly Torture[] = [
  killed,
  terminated,
  fuzz,
  hostile,
  disk,
  files,
  hang,
  journal,
  labels,
  retries,
  replicas,
  rolling,
  clock,
  upstreams,
  receivers,
  steady,
  access,
  dependencies,
];
