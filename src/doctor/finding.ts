/** What was looked at, and how it is. */
export interface Looked {
  what: string;
  /** What is wrong and what to do about it; undefined where all is well. */
  wrong?: string | undefined;
}

export const well = (what: string): Looked => ({ what });
export const wrong = (what: string, why: string): Looked => ({ what, wrong: why });
