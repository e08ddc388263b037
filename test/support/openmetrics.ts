import { type FileHandle, open } from 'node:fs/promises';
import { findBinary } from '../../src/binaries/binaries.ts';
import { runProgram } from '../../src/runtime/programs.ts';

/**
 * A file in the OpenMetrics text format, as promtool turns it into blocks. Several may write at
 * once.
 */
export interface OpenMetricsFile {
  path: string;
  /**
   * Adds whole lines, each `series value timestamp\n`. Resolves when there is room for more: not
   * much is kept in memory.
   */
  write: (lines: string) => Promise<void>;
  /** Ends the file; without it promtool refuses it. */
  close: () => Promise<void>;
}

const KEPT_CHARACTERS = 1 << 20;

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

/**
 * Four years a block: nearly always a single one. promtool hides the flag (default two hours), and
 * reads the file once for each block.
 */
const BLOCK_DURATION = '39366h';

/** Turns an OpenMetrics file into blocks in a storage folder. Throws with promtool's stderr. */
export async function createBlocks(openMetricsFile: string, storageDir: string, signal?: AbortSignal): Promise<void> {
  const promtool = await findBinary('promtool');
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', `--max-block-duration=${BLOCK_DURATION}`];
  await runProgram(promtool, [...args, openMetricsFile, storageDir], signal);
}
