export interface Problem {
  line: number;
  column: string;
  value: string;
  /** The problem, what was expected, and, where it helps, the remedy. */
  message: string;
  /** Rows that it stands for; 1 by default. */
  rows?: number;
}

export const MAX_PROBLEMS = 20;

/** One indented line for each problem. */
export const describeProblems = (problems: readonly Problem[]): string[] =>
  problems.map(({ line, column, value, message }) => `  line ${line}: ${column} ${quote(value)}: ${message}`);

const quote = (value: string): string => JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}...` : value);

/** Says why a file is refused. @param total rows with a problem */
export function refusal(name: string, problems: readonly Problem[], total: number): string {
  const more = total - problems.reduce((sum, { rows = 1 }) => sum + rows, 0);
  return [
    `${name}: ${total.toLocaleString('en-US')} bad ${total === 1 ? 'row' : 'rows'}, nothing was taken:`,
    ...describeProblems(problems),
    ...(more > 0 ? [`  and ${more.toLocaleString('en-US')} more`] : []),
    'Correct the file, or pass --skip-bad-rows to leave them out.',
  ].join('\n');
}
