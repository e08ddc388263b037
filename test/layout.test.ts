import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { PROJECT } from '../src/runtime/project.ts';

const src = join(PROJECT, 'src');

/**
 * From the ground up. A folder imports from its own floor only itself, and else from lower floors.
 */
const FLOORS = [
  ['runtime', 'domain', 'config'],
  ['binaries'],
  ['intake', 'prometheus', 'reports', 'simulator', 'csv'],
  ['calendar'],
  ['ledger', 'judge', 'check', 'engines'],
  ['history'],
  ['metrics', 'alerting', 'backtest', 'analyze'],
  ['tune'],
  ['http', 'doctor'],
  ['stack', 'live'],
  ['commands', 'explore'],
  ['cli.ts'],
  ['main.ts'],
];

const folderOf = (file: string): string => file.split('/')[0] ?? file;
const floorOf = (file: string): number => FLOORS.findIndex((floor) => floor.includes(folderOf(file)));

interface Import {
  from: string;
  to: string;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter((file) => /\.(ts|mjs)$/.test(file));
const imports: Import[] = files.flatMap((from) =>
  ts
    .preProcessFile(readFileSync(join(src, from), 'utf8'))
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => ({ from, to: relative(src, join(src, dirname(from), fileName)) })),
);

test('every folder of src has a floor, and two files lie beside them', () => {
  expect([...new Set(files.map(folderOf))].toSorted()).toEqual(FLOORS.flat().toSorted());
});

test('imports point down', () => {
  expect(imports.length).toBeGreaterThan(500);
  const up = imports.filter(({ from, to }) => folderOf(from) !== folderOf(to) && floorOf(to) >= floorOf(from));
  expect(up).toEqual([]);
});

test('no file imports itself by way of others', () => {
  const targets = new Map(files.map((file) => [file, imports.filter(({ from }) => from === file)]));
  const done = new Set<string>();
  const circleFrom = (file: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { to } of targets.get(file) ?? []) {
      const circle = circleFrom(to, [...way, file]);
      if (circle) return circle;
    }
    done.add(file);
    return undefined;
  };
  expect(files.map((file) => circleFrom(file, [])).find(Boolean)).toBeUndefined();
});
