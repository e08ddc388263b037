import type { Table } from './commits.ts';

/** Records as JSON, which takes less to keep than what it says; '' stands for a removal. */
type Texts = Map<Table, Map<string, string>>;

/** What commits have brought that the ledger's own file does not hold yet. */
export interface Overlay {
  /** JSON, '' where it has been removed, undefined where no commit has brought it. */
  get(table: Table, key: string): string | undefined;
  /** Of a table, in the order of their keys. */
  entries(table: Table): [key: string, text: string][];
  add(table: Table, key: string, text: string): void;
  /** What is there now is being taken over; what is added from here on is not. */
  begin(): void;
  /** It has been, or it has not and stays. */
  end(done: boolean): void;
}

/** Tables that are read from elsewhere: the counters and the state are in memory, and nobody reads when a key expires. */
const ELSEWHERE: readonly Table[] = ['totals', 'meta', 'expiry'];

function addTo(texts: Texts, table: Table, key: string, text: string): void {
  const there = texts.get(table);
  if (there === undefined) texts.set(table, new Map([[key, text]]));
  else there.set(key, text);
}

export function createOverlay(): Overlay {
  let fresh: Texts = new Map();
  let leaving: Texts = new Map();
  return {
    get: (table, key) => fresh.get(table)?.get(key) ?? leaving.get(table)?.get(key),
    entries(table) {
      const all = new Map([...(leaving.get(table) ?? []), ...(fresh.get(table) ?? [])]);
      return [...all].sort(([a], [b]) => (a < b ? -1 : 1));
    },
    add(table, key, text) {
      if (!ELSEWHERE.includes(table)) addTo(fresh, table, key, text);
    },
    begin() {
      leaving = fresh;
      fresh = new Map();
    },
    end(done) {
      if (!done) {
        for (const [table, records] of fresh) for (const [key, text] of records) addTo(leaving, table, key, text);
        fresh = leaving;
      }
      leaving = new Map();
    },
  };
}
