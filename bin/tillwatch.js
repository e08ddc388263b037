#!/usr/bin/env node
// `npx tillwatch` in a clone remembers which program there was when it ran first. This file is there
// before the build.
import { existsSync } from 'node:fs';

const program = new URL('../dist/main.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write(
    'tillwatch: this clone is not built yet: `npm ci && npm run build` does it, and so does `npm run demo`\n',
  );
  process.exitCode = 1;
}
