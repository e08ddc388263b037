/** One thing that was looked at, and the result. */
export interface Looked {
  what: string;
  /** The fault and its remedy; undefined where all is well. */
  wrong?: string | undefined;
  /** The reason why it is not known yet; that is no fault. */
  awaited?: string;
}

export const well = (what: string): Looked => ({ what });
export const wrong = (what: string, why: string): Looked => ({ what, wrong: why });
export const awaiting = (what: string, why: string): Looked => ({ what, awaited: why });
