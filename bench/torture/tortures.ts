import { access } from './access.ts';
import { clock } from './clock.ts';
import { dependencies } from './dependencies.ts';
import { disk } from './disk.ts';
import { fuzz } from './fuzz.ts';
import { hostile } from './hostile.ts';
import { labels } from './labels.ts';
import { receivers } from './receivers.ts';
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
  labels,
  retries,
  clock,
  upstreams,
  receivers,
  steady,
  access,
  dependencies,
];
