import { type FileHandle, open } from 'node:fs/promises';

export type Labels = Readonly<Record<string, string>>;

/** A file in the OpenMetrics text format, as promtool turns it into blocks. Several may write at once. */
export interface OpenMetricsFile {
  path: string;
  /** Adds whole lines, each `series value timestamp\n`. Resolves when there is room for more: not much is kept in memory. */
  write: (lines: string) => Promise<void>;
  /** Ends the file; without it promtool refuses it. */
  close: () => Promise<void>;
}

const KEPT_CHARACTERS = 1 << 20;

const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** A series as a sample line begins with it: `name{a="b"}`. The same labels give the same text, in whatever order. */
export function seriesText(name: string, labels: Labels): string {
  const pairs = Object.keys(labels)
    .sort()
    .filter((label) => labels[label] !== '')
    .map((label) => `${label}="${escaped(labels[label] ?? '')}"`);
  return `${name}{${pairs.join(',')}}`;
}

/** The labels of a series as `seriesText` writes it, with `__name__`. */
export function labelsOf(series: string): Labels {
  const brace = series.indexOf('{');
  const pairs = [...series.slice(brace).matchAll(/([a-zA-Z_]\w*)="((?:\\.|[^"\\])*)"/g)];
  const plain = (value: string) => value.replaceAll(/\\(.)/g, (_, next: string) => (next === 'n' ? '\n' : next));
  return Object.fromEntries([
    ['__name__', series.slice(0, brace)],
    ...pairs.map(([, name, value]) => [name, plain(value ?? '')]),
  ]);
}

export async function createOpenMetricsFile(path: string): Promise<OpenMetricsFile> {
  const file: FileHandle = await open(path, 'w');
  let kept = '';
  // Two writes under way at once would tear each other's lines apart.
  let last: Promise<void> = Promise.resolve();
  const flush = () => {
    const text = kept;
    kept = '';
    last = last.then(() => file.writeFile(text));
    return last;
  };
  return {
    path,
    write: async (lines) => {
      kept += lines;
      if (kept.length > KEPT_CHARACTERS) await flush();
    },
    close: async () => {
      try {
        kept += '# EOF\n';
        await flush();
      } finally {
        await file.close();
      }
    },
  };
}
