import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's own folder, from the source as from what is built. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

export const SHIPPED_RULES = join(PROJECT, 'prometheus', 'rules');

export const VERSION: string = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).version;
