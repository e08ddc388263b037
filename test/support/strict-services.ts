import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { startHttpServer } from './http-server.ts';

const link = z.url({ protocol: /^https?$/ }).max(2000);

/**
 * What an incoming webhook of Slack takes. Legacy attachments: at most 100, five buttons each,
 * 40,000 characters in all.
 */
const slack = z
  .looseObject({
    attachments: z
      .array(
        z.looseObject({
          fallback: z.string().min(1),
          color: z.string().regex(/^(good|warning|danger|#[0-9a-f]{6})$/i),
          title: z.string().min(1).max(1024),
          title_link: link,
          text: z.string().min(1),
          actions: z
            .array(z.looseObject({ type: z.literal('button'), text: z.string().min(1).max(30), url: link }))
            .max(5),
        }),
      )
      .min(1)
      .max(100),
  })
  .refine((message) => JSON.stringify(message).length <= 40_000, 'msg_too_long');

const block = z.looseObject({ type: z.literal('TextBlock'), text: z.string().min(1), wrap: z.literal(true) });

/** What a Teams workflow takes: one adaptive card of a version that Teams shows, 28 KB in all. */
const teams = z
  .looseObject({
    type: z.literal('message'),
    attachments: z
      .array(
        z.looseObject({
          contentType: z.literal('application/vnd.microsoft.card.adaptive'),
          content: z.looseObject({
            $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
            type: z.literal('AdaptiveCard'),
            version: z.string().regex(/^1\.[0-5]$/),
            body: z.array(block).min(1),
          }),
        }),
      )
      .length(1),
  })
  .refine((card) => Buffer.byteLength(JSON.stringify(card)) <= 28 * 1024, 'card larger than 28 KB');

/** What PagerDuty's Events API v2 takes: 512 KB in all. */
const pagerduty = z
  .looseObject({
    routing_key: z.string().length(32),
    event_action: z.enum(['trigger', 'acknowledge', 'resolve']),
    dedup_key: z.string().min(1).max(255),
    payload: z.looseObject({
      summary: z.string().min(1).max(1024),
      source: z.string().min(1),
      severity: z.enum(['critical', 'error', 'warning', 'info']),
      custom_details: z.looseObject({ alerts: z.string() }),
    }),
    client_url: link,
    links: z.array(z.object({ href: link, text: z.string().min(1) })),
  })
  .refine((event) => JSON.stringify(event).length <= 512_000, 'event larger than 512 KB');

const SERVICES: Record<string, { schema: z.ZodType; ok: number }> = {
  '/slack': { schema: slack, ok: 200 },
  '/teams': { schema: teams, ok: 202 },
  '/pagerduty': { schema: pagerduty, ok: 202 },
};

/** How a service fails: an HTTP status, or a connection that is cut without an answer. */
export type Failure = number | 'cut';

/**
 * Slack, Teams and PagerDuty on one address, as strict as they are; anything else is taken as it
 * comes.
 */
export async function startStrictServices() {
  const taken: { path: string; body: unknown }[] = [];
  const refused: string[] = [];
  const failures = new Map<string, Failure[]>();
  const server = await startHttpServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => answer(request.url ?? '', body, response));
  });
  function answer(path: string, body: string, response: ServerResponse): void {
    const failure = failures.get(path)?.shift();
    if (failure === 'cut') return void response.destroy();
    if (failure !== undefined) return void response.writeHead(failure, { 'retry-after': '1' }).end('try later');
    const service = SERVICES[path];
    const message = JSON.parse(body);
    const problem = service?.schema.safeParse(message).error;
    if (problem !== undefined) {
      refused.push(`${path}: ${z.prettifyError(problem)}\n${body.slice(0, 500)}`);
      return void response.writeHead(400).end('invalid');
    }
    taken.push({ path, body: message });
    response.writeHead(service?.ok ?? 200).end('ok');
  }
  return {
    ...server,
    /** Bodies that a path took, oldest first. */
    // biome-ignore lint/suspicious/noExplicitAny: bodies of three services, checked above
    at: (path: string): any[] => taken.filter((one) => one.path === path).map(({ body }) => body),
    /** What was sent and refused, with the reason: nothing, when all is well. */
    refused,
    /** Fails the next requests to a path in this way, one after the other. */
    fail: (path: string, ...how: Failure[]) => failures.set(path, [...how]),
    failing: (path: string) => failures.get(path)?.length ?? 0,
  };
}
