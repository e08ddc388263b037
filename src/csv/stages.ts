import type { Status } from '../domain/names.ts';
import type { Columns } from './columns.ts';
import { isIdName } from './count-column.ts';
import { hashOf } from './repeats.ts';

/** Finds transactions that have several rows, as they are authorized and then captured. */
export interface Stages {
  take: (cells: readonly string[], status: Status, word: string) => void;
  /** Words of one status that the same transactions have. */
  found: () => readonly string[] | undefined;
}

/** So many transactions with several rows are no accident. */
const ENOUGH_STAGES = 3;
/** Transactions that are remembered, 20 MB of them: their stages may come at the end of the file. */
const MAX_KNOWN = 300_000;
/** A card that was refused is tried again under the same order. */
export const TRIED_AGAIN: readonly (Status | 'ignore' | undefined)[] = ['denied', 'failed'];

const NONE: readonly string[] = [];

export function createStages({ header, status, count, wide }: Columns): Stages {
  const isEvents = count === undefined && wide.length === 0 && status !== undefined;
  const ids = isEvents
    ? [...header.keys()]
        .filter((column) => column !== status && isIdName(header[column] ?? ''))
        .map((column) => ({ column, words: new Map<number, readonly string[]>(), stages: 0, again: 0, found: NONE }))
    : [];
  // Most transactions have the same words: a list of each kind is enough.
  const lists = new Map<string, readonly string[]>();
  const listOf = (before: readonly string[], word: string): readonly string[] => {
    const name = [...before, word].join('\0');
    const list = lists.get(name) ?? [...before, word];
    lists.set(name, list);
    return list;
  };
  return {
    take: (cells, meant, word) => {
      if (TRIED_AGAIN.includes(meant)) return;
      for (const id of ids) {
        const cell = cells[id.column];
        if (cell === undefined || cell === '') continue;
        const key = hashOf(`${cell}\0${meant}`);
        const before = id.words.get(key) ?? NONE;
        if (before.includes(word)) {
          id.again++;
          continue;
        }
        if (before.length > 0) id.stages++;
        if (before.length === 0 && id.words.size >= MAX_KNOWN) continue;
        const own = listOf(before, word);
        id.words.set(key, own);
        if (id.found.length < own.length) id.found = own;
      }
    },
    // A customer has several transactions with the same end.
    found: () => ids.find(({ stages, again }) => stages >= ENOUGH_STAGES && stages > again)?.found,
  };
}
