/** The form in which an exposition is written. */
export interface Format {
  contentType: string;
  /** OpenMetrics: a family of counters is named without `_total`, and the end is marked. */
  openMetrics: boolean;
  /** Each counter says since when it counts, in a line `_created`. */
  starts: boolean;
}

interface Clause {
  type: string;
  version: string | undefined;
  q: number;
}

function clauseOf(text: string): Clause {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const values = new Map(parameters.map((one) => one.split(/\s*=\s*/, 2) as [string, string]));
  const q = Number(values.get('q') ?? 1);
  return { type, version: values.get('version'), q: Number.isNaN(q) ? 0 : q };
}

const TEXT: Format = { contentType: 'text/plain; version=0.0.4; charset=utf-8', openMetrics: false, starts: false };
const OPEN_METRICS = 'application/openmetrics-text';
const VERSIONS: readonly (string | undefined)[] = ['1.0.0', '0.0.1'];

/**
 * The format that a scraper likes best, by its header Accept. Text is the answer to whatever else
 * it asks for. Prometheus reads starts only where its feature created-timestamp-zero-ingestion is
 * on, and then it asks for protobuf too. Without the feature it keeps each start as one more
 * series; so who takes text but no protobuf gets none.
 */
export function formatFor(accept: string): Format {
  const clauses = accept
    .split(',')
    .map(clauseOf)
    .filter(({ q }) => q > 0)
    .sort((a, b) => b.q - a.q);
  const takes = (type: string) => clauses.some((clause) => clause.type === type);
  for (const { type, version } of clauses) {
    if (type === 'text/plain' || type === 'text/*' || type === '*/*') return TEXT;
    if (type === OPEN_METRICS && [undefined, ...VERSIONS].includes(version))
      return {
        contentType: `${OPEN_METRICS}; version=${version ?? VERSIONS[0]}; charset=utf-8`,
        openMetrics: true,
        starts: takes('application/vnd.google.protobuf') || !takes('text/plain'),
      };
  }
  return TEXT;
}
