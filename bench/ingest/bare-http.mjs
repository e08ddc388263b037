/**
 * The least work of any HTTP service in Node: a body read and parsed, an answer with as many
 * headers and bytes as ours. No Koa, no schema, nothing counted.
 */
import { createServer } from 'node:http';

const assessment = {
  status: 'denied',
  count: 6,
  total: 130,
  share: 0.0461538,
  recommendation: 'unknown',
  reason: 'x'.repeat(60),
};
const text = JSON.stringify({
  accepted: 1,
  baseline: { reason: 'x'.repeat(60) },
  assessments: Array(4).fill(assessment),
});
const protection = Array.from({ length: 4 }, (_, i) => [`X-Protection-${i}`, i === 0 ? 'x'.repeat(41) : 'same-origin']);
const headers = ['Content-Type', 'application/json', 'Content-Length', String(text.length), ...protection.flat()];

const server = createServer((request, response) => {
  /** @type {Buffer[]} */
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString());
    response.writeHead(200, headers).end(text);
  });
}).listen(0, '127.0.0.1', () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.stderr.write(`listening on http://127.0.0.1:${port}\n`);
});
