import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../config/usage-error.ts';
import type { Engine } from '../engines/engine-names.ts';
import { type WrittenFile, writeRules, writeShards } from '../engines/engines.ts';
import { readRuleSource } from '../engines/rule-source.ts';
import { readRules } from '../prometheus/rule-files.ts';
import { inputsOf, layerRules } from '../prometheus/rule-graph.ts';
import { makeFolder } from '../runtime/folder.ts';
import { PROJECT } from '../runtime/project.ts';
import { engineNamed } from './engine-flag.ts';
import type { CommandIo } from './io.ts';

export interface RulesOptions {
  for: string;
  /** Folder of the source. Default: the own one. */
  rules?: string;
  out?: string;
  url?: string;
  /** A whole number from 2 to 99. */
  shards?: string;
}

/** `tillwatch rules`. @returns the exit code */
export async function rulesCommand(options: RulesOptions, io: CommandIo): Promise<number> {
  const engine = engineNamed(options.for);
  const { rules: dir = join(PROJECT, 'prometheus', 'rules'), out } = options;
  const source = await readRuleSource(dir);
  const { recording } = await readRules(dir);
  layerRules(recording, inputsOf(recording));
  const url = linkTarget(options.url);
  const shards = shardsOf(engine, options.shards);
  const files = shards === undefined ? writeRules(engine, source, url) : writeShards(source, shards, url);
  if (out === undefined) {
    for (const { name, text } of files) io.stdout.write(`---\n# ${name}\n${text}`);
    return 0;
  }
  await writeInto(out, files);
  io.stdout.write(`${files.length} files in ${out}\n`);
  return 0;
}

function shardsOf(engine: Engine, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (engine !== 'prometheus') throw new UsageError(`--shards ${given}: only --for prometheus has shards`);
  if (!/^([2-9]|[1-9]\d)$/.test(given)) throw new UsageError(`--shards ${given}: must be a whole number from 2 to 99`);
  return Number(given);
}

function linkTarget(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  if (!URL.canParse(url) || !/^https?:/.test(url) || /["{}\s]/.test(url))
    throw new UsageError(`--url ${url}: is no address such as https://tillwatch.example.com`);
  return url.replace(/\/+$/, '');
}

/**
 * Writes all files. @throws when the folder holds rule files that these do not replace: the engine
 * would load both
 */
async function writeInto(out: string, files: readonly WrittenFile[]): Promise<void> {
  makeFolder(out);
  const others = (await readdir(out)).filter(
    (name) => /\.ya?ml$/.test(name) && !files.some((file) => file.name === name),
  );
  if (others.length > 0)
    throw new Error(
      `${out}: holds ${others.join(', ')}, which would be loaded beside what is written; take them away, or give another folder`,
    );
  for (const { name, text } of files) {
    makeFolder(dirname(join(out, name)));
    await writeFile(join(out, name), text);
  }
}
