import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchArchives } from '../src/binaries/archive.ts';
import { fetchOldPrometheus, findBinary } from '../src/binaries/binaries.ts';
import { cached } from '../src/binaries/cache.ts';
import { sourcesOfSuite } from '../src/binaries/debian.ts';
import { atLeast } from '../src/binaries/executables.ts';
import type { Release } from '../src/binaries/releases.ts';
import { whatIsWrong, writeSums } from '../src/binaries/sums.ts';
import { startHttpServer } from './support/http-server.ts';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'tillwatch-binaries-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** A program that only tells its version. */
async function fakeProgram(folder: string, file: string, version: string): Promise<string> {
  const path = join(scratch, folder, file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\necho "${file}, version ${version} (branch: x)"\n`, { mode: 0o755 });
  return path;
}

describe('findBinary', () => {
  test('finds or fetches all four, new enough and able to run', async () => {
    const floors = { prometheus: '3.5.0', promtool: '3.5.0', alertmanager: '0.28.0', amtool: '0.28.0' } as const;
    for (const [name, floor] of Object.entries(floors)) {
      const path = await findBinary(name as keyof typeof floors);
      const { stdout } = await execa(path, ['--version']);
      const version = /version (\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? 'none';
      expect(atLeast(version, floor), `${name} ${version}`).toBe(true);
    }
  });

  test('fetches the Pushgateway that the benchmarks measure against', async () => {
    const { stdout, stderr } = await execa(await findBinary('pushgateway'), ['--version']);
    expect(stdout + stderr).toMatch(/pushgateway, version \d/);
  });

  test('fetches Prometheus 2.42 for those who ask for it', async () => {
    const old = await fetchOldPrometheus();
    for (const path of [old.prometheus, old.promtool]) {
      expect((await execa(path, ['--version'], { all: true })).all).toContain('version 2.42.0');
    }
  });

  test('takes a program on PATH that is new enough', async () => {
    const promtool = await fakeProgram('new', 'promtool', '3.10.1');
    expect(await findBinary('promtool', { env: { PATH: `/nowhere:${dirname(promtool)}` } })).toBe(promtool);
  });

  test("knows Debian's name for Alertmanager", async () => {
    const program = await fakeProgram('debian', 'prometheus-alertmanager', '0.28.0+ds1');
    expect(await findBinary('alertmanager', { env: { PATH: dirname(program) } })).toBe(program);
  });

  test('passes over one on PATH that is too old', async () => {
    const old = await fakeProgram('old', 'promtool', '2.53.3');
    const found = await findBinary('promtool', { env: { ...process.env, PATH: dirname(old) } });
    expect(found).not.toBe(old);
    expect((await execa(found, ['--version'])).stdout).toMatch(/version 3\./);
  });
});

test.each([
  ['3.5.0', '3.5.0', true],
  ['3.10.0', '3.5.0', true],
  ['3.4.9', '3.5.0', false],
  ['2.53.3', '3.5.0', false],
  ['1.0.0', '0.28.0', true],
])('version %s is at least %s: %s', (version, floor, expected) => {
  expect(atLeast(version, floor)).toBe(expected);
});

describe('the cache', () => {
  test('is filled once, however many ask at the same time', async () => {
    const target = join(scratch, 'once', 'programs');
    let fills = 0;
    const fill = async (into: string) => {
      fills += 1;
      await writeFile(join(into, 'program'), 'whole');
    };
    const folders = await Promise.all(Array.from({ length: 8 }, () => cached(target, fill)));
    expect(new Set(folders)).toEqual(new Set([target]));
    expect(fills).toBe(1);
    expect(await readdir(dirname(target))).toEqual(['programs']);
  });

  test('keeps nothing of a fetch that failed, and tries again', async () => {
    const target = join(scratch, 'failing', 'programs');
    const failing = cached(target, async (into) => {
      await writeFile(join(into, 'half'), '');
      throw new Error('connection lost');
    });
    await expect(failing).rejects.toThrow('connection lost');
    expect(await readdir(dirname(target))).toEqual([]);
    await cached(target, (into) => writeFile(join(into, 'program'), 'whole'));
    expect(await readdir(target)).toEqual(['program']);
  });

  test('takes over the lock, and clears away the leftovers, of a process that was killed', async () => {
    const target = join(scratch, 'stale', 'programs');
    const longAgo = new Date(Date.now() - 3_600_000);
    await mkdir(`${target}.lock`, { recursive: true });
    await mkdir(`${target}.part-abc`);
    await utimes(`${target}.lock`, longAgo, longAgo);
    await cached(target, (into) => writeFile(join(into, 'program'), 'whole'));
    expect(await readdir(dirname(target))).toEqual(['programs']);
  });
});

describe('a program of the cache', () => {
  async function fetched() {
    const folder = await mkdtemp(join(scratch, 'fetched-'));
    const program = join(folder, 'prometheus', 'prometheus');
    await mkdir(dirname(program));
    await writeFile(program, 'what was fetched', { mode: 0o755 });
    await writeSums(folder, [program]);
    return { folder, program };
  }

  test('is taken as long as it is what was fetched', async () => {
    const { folder, program } = await fetched();
    expect(await whatIsWrong(folder, program)).toBeUndefined();
    await writeFile(program, 'something else');
    expect(await whatIsWrong(folder, program)).toContain('is not what was fetched');
  });

  test('is not taken where other users can write', async () => {
    const { folder, program } = await fetched();
    await chmod(dirname(program), 0o777);
    expect(await whatIsWrong(folder, program)).toBe(`${dirname(program)} can be written by other users`);
  });

  test('is not taken where nothing says what was fetched', async () => {
    const { folder, program } = await fetched();
    await rm(join(folder, 'sha256sums.txt'));
    expect(await whatIsWrong(folder, program)).toContain('does not name prometheus/prometheus');
  });
});

describe("the host's package sources", () => {
  const deb822 = `# comment
Types: deb deb-src
URIs: http://mirror.example/debian
# another comment
Suites: bookworm
 bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
`;
  const oneLine = `deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian bookworm main # why
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/security bookworm-security main
# deb http://off.example/debian bookworm main
deb http://vendor.example/apt stable nightly
`;

  test.each([
    [
      'deb822',
      'debian.sources',
      deb822,
      [
        'Types: deb\nURIs: http://mirror.example/debian\nSuites: forky\nComponents: main contrib\nSigned-By:\n' +
          ' -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n',
      ],
    ],
    [
      'one line',
      'debian.list',
      oneLine,
      ['deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/debian forky main \n'],
    ],
  ])('keep mirror and key and change only the suite (%s)', async (label, file, text, expected) => {
    const etc = join(scratch, `apt ${label}`);
    await mkdir(join(etc, 'sources.list.d'), { recursive: true });
    await writeFile(join(etc, 'sources.list.d', file), text);
    expect((await sourcesOfSuite(etc, 'forky')).map((source) => source.text)).toEqual(expected);
  });

  test('are none on a host without apt', async () => {
    expect(await sourcesOfSuite(join(scratch, 'nowhere'), 'forky')).toEqual([]);
  });
});

describe('release archives', () => {
  const release: Release = {
    project: 'alertmanager',
    floor: '0.28.0',
    programs: ['alertmanager'],
    debianPackages: [],
  };
  const platform = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  const name = `alertmanager-9.9.9.${platform}`;
  const withSum = (sum: string, version = '9.9.9'): Release[] => [
    { ...release, archives: { version, sha256: { [platform]: sum } } },
  ];

  /** Serves a release, and says its sum. */
  async function serveRelease() {
    await fakeProgram(name, 'alertmanager', '9.9.9');
    const file = join(scratch, `${name}.tar.gz`);
    await execa('tar', ['-czf', file, '-C', scratch, name]);
    const archive = await readFile(file);
    const right = createHash('sha256').update(archive).digest('hex');
    const server = await startHttpServer((request, response) => {
      if (request.url === `/alertmanager/releases/download/v9.9.9/${name}.tar.gz`) response.end(archive);
      else response.writeHead(404).end();
    });
    return { ...server, sum: right };
  }

  test('are unpacked when their sha256 is the one in the source', async () => {
    const server = await serveRelease();
    const into = await mkdtemp(join(scratch, 'into-'));
    await fetchArchives(withSum(server.sum), into, server.url);
    await server.close();
    expect((await execa(join(into, 'alertmanager', 'alertmanager'), ['--version'])).stdout).toContain('9.9.9');
  });

  test('are refused, unopened, when it is another', async () => {
    const server = await serveRelease();
    const into = await mkdtemp(join(scratch, 'into-'));
    await expect(fetchArchives(withSum('f'.repeat(64)), into, server.url)).rejects.toThrow(
      /sha256 is .*, and must be ffff.*; refused/,
    );
    await server.close();
    expect(await readdir(into)).not.toContain('alertmanager');
  });

  test('that do not exist are named with their address', async () => {
    const server = await serveRelease();
    const into = await mkdtemp(join(scratch, 'into-'));
    const missing = fetchArchives(withSum(server.sum, '1.2.3'), into, server.url);
    await expect(missing).rejects.toThrow(/\/alertmanager\/releases\/download\/v1\.2\.3\/alertmanager-1.*: HTTP 404/);
    await expect(fetchArchives([release], into, server.url)).rejects.toThrow(
      /sum of an official archive .* is not known/,
    );
    await server.close();
  });
});
