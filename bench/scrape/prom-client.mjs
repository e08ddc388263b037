/**
 * A Node service that counts with prom-client: the same series, the same report, rendered at each
 * scrape.
 */
import { createServer } from 'node:http';
import { Counter, Registry } from 'prom-client';

const [labelValues = '', ...statuses] = process.argv.slice(2);
const register = new Registry();
const counter = new Counter({
  name: 'transactions_total',
  help: 'Transactions by outcome.',
  labelNames: ['status', 'acquirer'],
  registers: [register],
});

/** @param {string} acquirer */
function count(acquirer) {
  for (const status of statuses) counter.inc({ status, acquirer }, 5);
}

for (let index = 0; index < Number(labelValues); index++) count(`a${index}`);
const server = createServer(async (request, response) => {
  if (request.method === 'POST') count('a0');
  const text = request.method === 'POST' ? 'counted' : await register.metrics();
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(text);
}).listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.stderr.write(`listening on http://127.0.0.1:${port}\n`);
});
