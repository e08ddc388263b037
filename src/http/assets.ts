import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PROJECT } from '../runtime/project.ts';
import { etagOf } from './etag.ts';

/** `npm run build` puts the live page here. The path is right from src/ and from dist/. */
const BUILT = join(PROJECT, 'dist', 'live');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

export interface Asset {
  type: string;
  bytes: Buffer;
  gzipped: Buffer;
  etag: string;
}

function readAsset(file: string): Asset {
  const bytes = readFileSync(file);
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  return { type, bytes, gzipped: gzipSync(bytes, { level: 9 }), etag: etagOf(bytes) };
}

/** Files that a page loads from `live/`, and that a module imports from beside itself. */
function namedIn(name: string, { bytes }: Asset): string[] {
  const pattern = name.endsWith('.html') ? /(?:src|href)="live\/([^"]+)"/g : /(?:from|import)\s*["']\.\/([^"']+)["']/g;
  return extname(name).match(/html|js/) ? [...bytes.toString().matchAll(pattern)].map((match) => match[1] ?? '') : [];
}

/**
 * Every file of the built live page by its name, read once: nothing else is ever served.
 * @throws Error that says what is missing and what to do
 */
export function readAssets(folder: string = BUILT): ReadonlyMap<string, Asset> {
  const unbuilt = (what: string) =>
    new Error(`the live page is not built: ${join(folder, what)} is missing. Run npm run build`);
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => TYPES[extname(name)] !== undefined);
  } catch {
    throw unbuilt('');
  }
  const assets = new Map(names.map((name) => [name, readAsset(join(folder, name))]));
  const needed = [...assets].flatMap(([name, asset]) => namedIn(name, asset));
  const missing = ['index.html', ...needed].find((name) => !assets.has(name));
  if (missing !== undefined) throw unbuilt(missing);
  return assets;
}
