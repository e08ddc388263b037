import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { PROGRAM, temporaryFolder } from '../support/service.ts';

/**
 * Each `*.txt` here is a transcript: files under `== NAME`, then lines `$ command` with what the
 * shell prints and, where it is not 0, the exit code. `vitest run test/cli -u` writes what is printed.
 */
const here = fileURLToPath(new URL('.', import.meta.url));
const transcripts = (await readdir(here)).filter((name) => name.endsWith('.txt'));

/** What differs from one run, or one machine, to the next. */
const settled = (text: string, folder: string): string =>
  text
    .replaceAll(folder, '.')
    .replaceAll(dirname(dirname(PROGRAM)), 'TILLWATCH')
    .replace(/\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warn|error)/g, 'TIME $1')
    .replace(/ in \d+(\.\d+)? s\b/g, ' in N s')
    .replace(/\b\d+( (rule|template))? files\b/g, 'N$1 files');

/** The transcript as it is now. @throws Error where it has a line that is neither file nor command */
async function play(text: string): Promise<string> {
  const folder = temporaryFolder('cli');
  const bin = join(folder, '.bin');
  await mkdir(bin);
  // As npm links it.
  const linked = join(bin, 'linked');
  await mkdir(linked);
  await symlink(PROGRAM, join(linked, 'tillwatch'));
  const started = `exec "${process.execPath}" "${join(linked, 'tillwatch')}" "$@"`;
  await writeFile(join(bin, 'tillwatch'), `#!/bin/sh\n${started}\n`, { mode: 0o755 });
  const [head = '', ...commands] = text.split(/^(?=\$ )/m);
  for (const part of head.split(/^== /m).slice(1)) {
    const end = part.indexOf('\n');
    const file = join(folder, part.slice(0, end));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${part.slice(end + 1).trimEnd()}\n`);
  }
  const played = [];
  for (const said of commands) {
    const command = said.slice(2, said.indexOf('\n'));
    const { all, exitCode } = await execa('sh', ['-c', command], {
      cwd: folder,
      env: { PATH: `${bin}:${process.env.PATH}`, TZ: 'UTC', COLUMNS: '100' },
      all: true,
      reject: false,
    });
    const output = settled(all, folder);
    played.push(`$ ${command}\n${output}${output === '' ? '' : '\n'}${exitCode === 0 ? '' : `[exit ${exitCode}]\n`}`);
  }
  return `${head}${played.join('\n')}`;
}

test.each(transcripts)('%s', async (name) => {
  const file = join(here, name);
  await expect(await play(await readFile(file, 'utf8'))).toMatchFileSnapshot(file);
});
