import { createHash } from 'node:crypto';
import { access, chmod, lstat, readFile, readlink, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Debian's Alertmanager reads its default templates from a path that is built into the program, and
 * does not start without them. Unpacked instead of installed, they are elsewhere. So the copy in
 * the cache gets another path built in, of the same length: a short link to the templates beside
 * it. Nothing outside the cache but that link is touched.
 */
const BUILT_IN = '/usr/share/prometheus/alertmanager';
const PROGRAM = 'usr/bin/prometheus-alertmanager';
/**
 * This folder outlives a reboot, is short enough for the place that the path must fit in, and
 * exists on every Debian.
 */
const LINKS = '/var/tmp';

/**
 * Points the unpacked Alertmanager in `unpacked` at its templates as they will be once the folder
 * is called `target`.
 */
export async function relocateAlertmanager(unpacked: string, target: string): Promise<void> {
  const program = join(unpacked, PROGRAM);
  const before = await readFile(program);
  const replacement = linkOf(target).padEnd(BUILT_IN.length, '/');
  const after = Buffer.from(before.toString('latin1').replaceAll(BUILT_IN, replacement), 'latin1');
  if (after.length !== before.length) throw new Error(`${replacement} does not fit in the place of ${BUILT_IN}`);
  await writeFile(program, after);
  await chmod(program, 0o755);
}

/** Makes the link if it is missing: folders for temporary files are cleaned now and then. */
export async function linkAlertmanagerTemplates(target: string): Promise<void> {
  const templates = join(target, BUILT_IN);
  const isDebian = await access(join(target, PROGRAM)).then(
    () => true,
    () => false,
  );
  if (!isDebian || (await isOurs(linkOf(target), templates))) return;
  await unlink(linkOf(target)).catch(() => {});
  await symlink(templates, linkOf(target)).catch(async (error: NodeJS.ErrnoException) => {
    // Another process may have made it just now.
    if (!(await isOurs(linkOf(target), templates))) {
      throw new Error(
        `cannot link ${linkOf(target)} to Alertmanager's templates (${error.code}); remove it and try again`,
      );
    }
  });
}

function linkOf(target: string): string {
  return join(LINKS, `tillwatch-${createHash('sha256').update(target).digest('hex').slice(0, 8)}`);
}

/** A link that another user made is not followed: its owner could turn it elsewhere. */
async function isOurs(link: string, templates: string): Promise<boolean> {
  const stat = await lstat(link).catch(() => undefined);
  if (!stat?.isSymbolicLink() || ![0, process.getuid?.()].includes(stat.uid)) return false;
  return (await readlink(link)) === templates;
}
