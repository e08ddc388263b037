import { loadavg } from 'node:os';
import { type Finding, textTable } from '../project.ts';
import type { Row } from './rounds.ts';

const verdict = (met: boolean | null): string => (met === null ? 'not measured' : met ? 'met' : 'MISSED');

/** Each figure beside its goal, and what it was made of. */
export function rowsText(rows: readonly Row[]): string {
  const cells = rows.map(({ what, goal, figure, met, measured }) => [
    what,
    goal,
    String(figure ?? '-'),
    verdict(met),
    measured,
  ]);
  return textTable([['what', 'goal', 'figure', '', 'measured'], ...cells]);
}

export const findings = (rows: readonly Row[]): Finding[] =>
  rows.map(({ what, goal, figure, met }) => ({ what, goal, figure, met }));

/** The load of the machine. A ratio survives a busy machine, the times beside it do not. */
export const loadText = (): string =>
  `load of the last 1 and 5 minutes: ${loadavg()
    .slice(0, 2)
    .map((n) => n.toFixed(1))
    .join(', ')}\n`;
