/**
 * The simplest program that takes a report: Koa, a body parser and a schema; counts in memory,
 * keeps nothing.
 */
import { createServer } from 'node:http';
import Koa from 'koa';
import bodyParser from 'koa-bodyparser';
import { z } from 'zod';

const report = z.strictObject({
  timestamp: z.iso.datetime(),
  source: z.string(),
  counts: z.record(z.string(), z.int().nonnegative()),
});
/** @type {Map<string, number>} */
const totals = new Map();
const app = new Koa();
app.use(bodyParser());
app.use((ctx) => {
  const { counts } = report.parse(ctx.request.body);
  for (const [status, count] of Object.entries(counts)) totals.set(status, (totals.get(status) ?? 0) + count);
  ctx.body = { accepted: 1 };
});
const server = createServer(app.callback()).listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.stderr.write(`listening on http://127.0.0.1:${port}\n`);
});
