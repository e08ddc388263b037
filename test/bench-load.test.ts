import { describe, expect, it } from 'vitest';
import { push, report } from '../bench/ingest/requests.ts';
import { NUMBER } from '../bench/load/request.mjs';
import { inTurns, ratio, row, WARM_UP } from '../bench/load/rounds.ts';
import { startGenerator } from '../bench/load/service.ts';
import { rowsText } from '../bench/load/table.ts';
import { startHttpServer } from './support/http-server.ts';
import { startService } from './support/service.ts';

/** A server that answers in the way that `answer` says, and what it was sent. */
async function serve(status: number, answer: string | string[]) {
  const bodies: string[] = [];
  const server = await startHttpServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    bodies.push(body);
    response.writeHead(status, typeof answer === 'string' ? { 'Content-Length': Buffer.byteLength(answer) } : {});
    for (const part of [answer].flat()) response.write(part);
    response.end();
  });
  return { ...server, bodies };
}

describe('the load generator', () => {
  it.each([
    ['a length', '{"accepted": 1}'],
    ['chunks', ['x'.repeat(300_000), 'y'.repeat(300_000)]],
  ])('counts answers with %s, each request with a number of its own', async (_name, answer) => {
    const server = await serve(200, answer);
    const generator = startGenerator();
    const load = { port: server.port, request: report(), connections: 3, seconds: 0.2 };
    const { requests, refused, median, p99 } = await generator.run(load);
    expect(server.bodies).toHaveLength(requests);
    const sources = server.bodies.map((body) => JSON.parse(body).source);
    expect(new Set(sources).size).toBe(requests);
    expect(sources).not.toContain(`pos-${NUMBER}`);
    expect(refused).toBe(0);
    expect(p99).toBeGreaterThanOrEqual(median);
    generator.stop();
    server.close();
  });

  it('fails where a request is refused: a fast refusal is no result', async () => {
    const server = await serve(503, 'busy');
    const generator = startGenerator();
    const load = { port: server.port, request: push(), connections: 1, seconds: 0 };
    await expect(generator.run(load)).rejects.toThrow('1 of 1 refused: POST /metrics/job/pos');
    generator.stop();
    server.close();
  });

  it('sends reports that the service counts, each of them', async () => {
    const service = await startService();
    const generator = startGenerator();
    const port = Number(new URL(service.url).port);
    const { requests } = await generator.run({ port, request: report(), connections: 5, seconds: 0.2 });
    expect(await service.value('transactions_total{status="denied"}')).toBe(6 * requests);
    generator.stop();
    await service.close();
  });
});

describe('the figures', () => {
  it('are of contenders in turns, the first rounds left out', async () => {
    const order: string[] = [];
    const contender = (name: string) => async () => order.push(name);
    const measured = await inTurns(2, { a: contender('a'), b: contender('b') }, () => {});
    expect(order.join('')).toBe('ab'.repeat(WARM_UP + 2));
    const first = 2 * WARM_UP + 1;
    expect(measured).toEqual({ a: [first, first + 2], b: [first + 1, first + 3] });
  });

  it('are medians of the ratios of each round', () => {
    expect(ratio([10, 30, 100], [10, 10, 10])).toBe(3);
  });

  it('stand beside their goals; what could not be measured is neither met nor missed', () => {
    const rows = [
      row('fast', '>=', 8, 9.123, 'x', 'a by b'),
      row('slow', '<=', 3, 4, 'x', 'c by d'),
      row('unknown', '>=', 1, Number.NaN, 'x', ''),
    ];
    expect(rows.map(({ figure, met }) => [figure, met])).toEqual([
      [9.12, true],
      [4, false],
      [null, null],
    ]);
    const table = rowsText(rows);
    expect(table).toMatch(/fast +>= 8x +9\.12 +met +a by b/);
    expect(table).toMatch(/slow +<= 3x +4 +MISSED/);
    expect(table).toMatch(/unknown +>= 1x +- +not measured/);
  });
});
