#!/usr/bin/env node
import { setMaxListeners } from 'node:events';
import { run } from './cli.ts';

const stop = new AbortController();
// Node's fetch leaves its listeners until they are collected: thousands of queries are no leak.
setMaxListeners(0, stop.signal);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
// A write fails when the reader goes away, as in `| head`, or the terminal is closed. There is
// nobody left to tell.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const { stdin, stdout, stderr, env } = process;
process.exitCode = await run(process.argv.slice(2), { stdin, stdout, stderr, env, signal: stop.signal });
