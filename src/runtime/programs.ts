import { type ChildProcess, spawn } from 'node:child_process';

/** Children to end with this process, however it ends: an exit handler cannot wait, so it kills. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Makes a child end with this process. */
export function tie(child: ChildProcess): void {
  alive.add(child);
  child.once('close', () => alive.delete(child));
}

/** Keeps the end of a program's output, to explain a failure. */
export function createTail(maxLength = 4000): { add: (text: string) => void; text: () => string } {
  let kept = '';
  return {
    add: (text) => {
      kept = (kept + text).slice(-maxLength);
    },
    text: () => kept.trim(),
  };
}

/**
 * Runs a program to its end.
 * @throws with the end of what it wrote to stderr when it fails, and the abort reason when `signal`
 *   stopped it; the program has ended by then in any case
 */
export async function runProgram(path: string, args: string[], signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  tie(child);
  const stderr = createTail();
  child.stderr.setEncoding('utf8').on('data', stderr.add);
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill);
  try {
    const failure = await new Promise<string | undefined>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, killedBy) => resolve(code === 0 ? undefined : `ended with ${code ?? killedBy}`));
    });
    signal?.throwIfAborted();
    if (failure !== undefined) throw new Error(`${path} ${args.join(' ')}: ${failure}\n${stderr.text()}`.trim());
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}
