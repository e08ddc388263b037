import { execFile } from 'node:child_process';

export interface ToolResult {
  ok: boolean;
  stdout: string;
  stderr: string;
}

/**
 * Per cent by which Go's memory may grow before garbage is collected: 160 MB for a suite of rules,
 * not 90, for half of the CPU.
 */
const GOGC = '400';

/**
 * Runs promtool or amtool; a non-zero exit is an answer, not an error. Rejects only when it cannot
 * be run at all.
 */
export function runTool(path: string, args: string[], cwd?: string): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    execFile(path, args, { cwd, env: { GOGC, ...process.env }, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') {
        reject(new Error(`cannot run ${path}: ${error.message}`));
        return;
      }
      resolve({ ok: error === null, stdout, stderr });
    });
  });
}
