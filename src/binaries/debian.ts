import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/**
 * `debian`, `ubuntu`, or whatever else /etc/os-release calls this host; undefined where there is no
 * such file.
 */
export async function hostDistribution(file = '/etc/os-release'): Promise<string | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return /^ID="?([^"\n]+)"?$/m.exec(text)?.[1];
}

/**
 * Downloads packages of a suite, which apt verifies with the host's own mirrors and keys, and
 * unpacks them into a folder. Nothing is installed, the host's package lists stay as they are, and
 * no root is needed.
 */
export async function fetchDebianPackages(suite: string, packages: string[], into: string): Promise<void> {
  const work = `${into}.apt`;
  try {
    const config = await privateApt(work, suite);
    const update = await aptGet(config, ['update'], work);
    const download = await aptGet(config, ['download', ...packages], work);
    // An unreachable third-party source fails `update` though the packages are there: only
    // `download` decides.
    if (!download.ok) throw new Error([update.said, download.said].filter(Boolean).join('; '));
    for (const file of await readdir(work)) {
      if (file.endsWith('.deb')) await exec('dpkg', ['-x', join(work, file), into]);
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** An apt that keeps lists, cache and sources in `work`; returns the path of its configuration. */
async function privateApt(work: string, suite: string): Promise<string> {
  const sources = await sourcesOfSuite('/etc/apt', suite);
  if (sources.length === 0) throw new Error('no package source of the distribution in /etc/apt');
  for (const folder of ['state/lists/partial', 'cache/archives/partial', 'sources']) {
    await mkdir(join(work, folder), { recursive: true });
  }
  for (const [index, source] of sources.entries()) {
    await writeFile(join(work, 'sources', `${index}.${source.format}`), source.text);
  }
  const config = join(work, 'apt.conf');
  await writeFile(config, aptConfig(work));
  return config;
}

function aptConfig(work: string): string {
  return [
    `Dir::State "${work}/state";`,
    'Dir::State::status "/var/lib/dpkg/status";',
    `Dir::Cache "${work}/cache";`,
    'Dir::Etc::sourcelist "/dev/null";',
    `Dir::Etc::sourceparts "${work}/sources";`,
    'Acquire::Languages "none";',
    // The download user of apt may not enter a private cache folder such as /root/.cache.
    'APT::Sandbox::User "root";',
    // Hooks of the host are about the host's own lists, and often need root.
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    '',
  ].join('\n');
}

interface AptResult {
  ok: boolean;
  /** Its errors and warnings: `update` only warns of a mirror that it cannot reach. */
  said: string;
}

async function aptGet(config: string, args: string[], work: string): Promise<AptResult> {
  const options = { cwd: work, env: { ...process.env, LC_ALL: 'C' }, timeout: 600_000, maxBuffer: 1 << 26 };
  try {
    const { stderr } = await exec('apt-get', ['-q', '-c', config, ...args], options);
    return { ok: true, said: complaints(stderr) };
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string };
    return { ok: false, said: complaints(stderr ?? '') || message };
  }
}

function complaints(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^[EW]: /.test(line));
  return [...new Set(lines.map((line) => line.slice(3).trim()))].slice(0, 3).join('; ');
}

export interface AptSource {
  format: 'sources' | 'list';
  text: string;
}

/**
 * Reads the host's package sources in apt's two formats, and replaces their suite. It takes those
 * that name a plain suite with the component `main`. Suites of security, updates and backports
 * have other names.
 */
export async function sourcesOfSuite(etcApt: string, suite: string): Promise<AptSource[]> {
  const parts = (await readdir(join(etcApt, 'sources.list.d')).catch(() => []))
    .sort()
    .map((file) => join(etcApt, 'sources.list.d', file));
  const found: AptSource[] = [];
  for (const file of [join(etcApt, 'sources.list'), ...parts]) {
    const text = await readFile(file, 'utf8').catch(() => '');
    if (file.endsWith('.list')) found.push(...oneLineEntries(text, suite));
    if (file.endsWith('.sources')) found.push(...stanzas(text, suite));
  }
  return found;
}

/** `deb [options] URI suite component...` */
function oneLineEntries(text: string, suite: string): AptSource[] {
  return text.split('\n').flatMap((line): AptSource[] => {
    const entry = /^\s*(deb\s+(?:\[[^\]]*\]\s*)?\S+\s+)(\S+)(\s[^#]*)/.exec(line);
    if (!entry || !isPlain(entry[2] ?? '') || !/\smain(\s|$)/.test(entry[3] ?? '')) return [];
    return [{ format: 'list', text: `${entry[1]}${suite}${entry[3]}\n` }];
  });
}

/** deb822: stanzas of `Field: value` with continuation lines, which may hold a key. */
function stanzas(text: string, suite: string): AptSource[] {
  const uncommented = text.replace(/^#.*\n?/gm, '');
  return uncommented.split(/\n\s*\n/).flatMap((stanza): AptSource[] => {
    const suites = field(stanza, 'Suites').split(/\s+/);
    if (!suites.some(isPlain) || !/\bmain\b/.test(field(stanza, 'Components'))) return [];
    if (/^no$/i.test(field(stanza, 'Enabled')) || !/\bdeb\b(?!-)/.test(field(stanza, 'Types'))) return [];
    const replaced = replaceField(replaceField(stanza, 'Suites', suite), 'Types', 'deb');
    return [{ format: 'sources', text: `${replaced.trim()}\n` }];
  });
}

function field(stanza: string, name: string): string {
  return (fieldPattern(name).exec(stanza)?.[1] ?? '').trim();
}

function replaceField(stanza: string, name: string, value: string): string {
  return stanza.replace(fieldPattern(name), `${name}: ${value}`);
}

function fieldPattern(name: string): RegExp {
  return new RegExp(`^${name}:(.*(?:\\n[ \\t]+.*)*)`, 'im');
}

function isPlain(suite: string): boolean {
  return /^[a-z]+$/.test(suite);
}
