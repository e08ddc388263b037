import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../project.ts';

export interface Detector {
  name: string;
  rulesDir: string;
}

export const OWN: Detector = { name: 'tillwatch', rulesDir: join(PROJECT, 'prometheus', 'rules') };

const OTHERS = join(PROJECT, 'bench', 'detection', 'rules');

/** A folder of rule files each: one more detector is one more folder. */
export const OTHER_DETECTORS: readonly Detector[] = readdirSync(OTHERS)
  .sort()
  .map((name) => ({ name, rulesDir: join(OTHERS, name) }));

/** Signals that all detectors judge. */
export const COMPARED_SIGNALS: readonly string[] = ['denied', 'failed', 'reversed', 'volume'];
/** Signals that only our rules judge. */
export const FURTHER_SIGNALS: readonly string[] = ['auth_code', 'feed', 'processing'];
