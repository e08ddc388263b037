import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { UsageError } from '../config/usage-error.ts';
import { parseTime, utcMinute } from '../domain/times.ts';
import { messageOf } from '../runtime/log.ts';
import type { Section } from './page.ts';
import { table } from './table.ts';
import type { Instant } from './time-chart.ts';

const file = z.object({
  changes: z.array(
    z.object({
      at: z
        .string()
        .transform((text) => parseTime(text) / 1000)
        .refine((seconds) => !Number.isNaN(seconds), 'is no time; write it as 2026-01-05T00:00:00Z'),
      text: z.string().min(1, 'must not be empty'),
      by: z.string().default(''),
    }),
  ),
});

/**
 * Reads changes that a report draws: the answer of `GET /api/v1/changes`.
 * @returns them in order of time
 * @throws UsageError that says what is wrong with the file
 */
export async function readChanges(path: string): Promise<Instant[]> {
  const wrong = (why: string) =>
    new UsageError(
      `--changes ${path}: ${why}. It takes what GET /api/v1/changes answers: {"changes": [{"at", "text"}]}`,
    );
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw wrong(messageOf(error));
  }
  const read = file.safeParse(content);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw wrong(`${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
  }
  return read.data.changes
    .map(({ at, text, by }) => ({ time: at, label: by === '' ? text : `${text} (${by})` }))
    .sort((a, b) => a.time - b.time);
}

/**
 * The list of changes between two times, seconds since the epoch; no section where there are none.
 */
export function changesSection(changes: readonly Instant[] = [], from: number, to: number): Section[] {
  const rows = changes
    .filter(({ time }) => time >= from && time <= to)
    .map(({ time, label }) => [utcMinute(time), label]);
  if (rows.length === 0) return [];
  const body = [table({ columns: [{ title: 'time' }, { title: 'change' }], rows })];
  return [{ title: 'Changes', lead: 'Each is a dashed line on the charts.', body }];
}
