/** Counts what should not have been, and keeps the first of it. */
export interface Violations {
  add(text: string): void;
  /** Adds `text` unless `holds`. */
  check(holds: boolean, text: string): void;
  count(): number;
  first(): readonly string[];
}

const KEPT = 5;

export function createViolations(): Violations {
  const first: string[] = [];
  let count = 0;
  function add(text: string): void {
    count++;
    if (first.length < KEPT) first.push(text.length > 400 ? `${text.slice(0, 400)} …` : text);
  }
  return {
    add,
    check(holds, text) {
      if (!holds) add(text);
    },
    count: () => count,
    first: () => first,
  };
}

/** The result of one row of the table. */
export interface Seen {
  /** The work that was done: `200 kills, 41,302 reports`. */
  done: string;
  /** The figures that were seen; empty where there is nothing but violations to tell. */
  seen: string;
}

export interface Run {
  /** Fraction of the full amount, over 0 up to 1. */
  scale: number;
  violations: Violations;
  /** A new empty folder that goes when the row is done. */
  folder: () => Promise<string>;
  log: (line: string) => void;
}

/** One kind of torture: a row of the table. */
export interface Torture {
  name: string;
  what: string;
  /** The condition that must hold. */
  goal: string;
  run: (run: Run) => Promise<Seen>;
}

/** The part of a full amount that a run does, at least `least`. */
export const part = ({ scale }: Run, full: number, least = 1): number => Math.max(least, Math.round(full * scale));

export const number = (value: number): string => Math.round(value).toLocaleString('en-US');
