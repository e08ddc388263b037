/** The question as the address of the page holds it, so that a link leads to the same answer. */
export const SPANS = { '1h': 3600, '3h': 10_800, '12h': 43_200, '24h': 86_400, '7d': 604_800 } as const;
export type Span = keyof typeof SPANS;
export const KINDS = ['graph', 'table'] as const;
export type Kind = (typeof KINDS)[number];

export interface Asked {
  query: string;
  kind: Kind;
  span: Span;
  /** `2026-11-21T12:31`, UTC; empty for now. */
  until: string;
}

export function askedIn(search: string): Asked {
  const given = new URLSearchParams(search);
  const [kind, span, until] = [given.get('kind') as Kind, given.get('range') as Span, given.get('until') ?? ''];
  return {
    query: given.get('query') ?? '',
    kind: KINDS.includes(kind) ? kind : 'graph',
    span: Object.hasOwn(SPANS, span) ? span : '3h',
    until: Number.isNaN(Date.parse(`${until}Z`)) ? '' : until.slice(0, 16),
  };
}

export function searchOf({ query, kind, span, until }: Asked): string {
  const parameters = new URLSearchParams({ query, kind, range: span, ...(until !== '' && { until }) });
  return `?${parameters}`;
}

/**
 * Points of a graph: about as many as it has pixels to show them, never more than one a minute, as
 * the rules record.
 */
const POINTS = 360;

/** The path below `api/v1/` that answers. */
export function pathOf({ query, kind, span, until }: Asked): string {
  const end = Math.floor((until === '' ? Date.now() : Date.parse(`${until}Z`)) / 1000);
  if (kind === 'table') return `query?${new URLSearchParams({ query, time: String(end) })}`;
  const step = Math.max(60, Math.ceil(SPANS[span] / POINTS / 60) * 60);
  const [start, last] = [end - SPANS[span], end].map((time) => String(time - (time % step))) as [string, string];
  return `query_range?${new URLSearchParams({ query, start, end: last, step: String(step) })}`;
}
