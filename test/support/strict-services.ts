import type { ServerResponse } from 'node:http';
import { z } from 'zod';
import { startHttpServer } from './http-server.ts';

const link = z.url({ protocol: /^https?$/ }).max(2000);

/**
 * A message as an incoming webhook of Slack takes it. Legacy attachments: at most 100, five
 * buttons each, 40,000 characters in all.
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

/**
 * A message as a Teams workflow takes it: one adaptive card of a version that Teams shows, 28 KB
 * in all.
 */
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

/** An event as PagerDuty's Events API v2 takes it: 512 KB in all. */
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

/**
 * A message as a Discord webhook takes it: content that is no message of its own, and one embed.
 */
const discord = z.looseObject({
  content: z.literal(''),
  embeds: z
    .array(z.looseObject({ title: z.string().min(1).max(256), description: z.string().min(1).max(4096) }))
    .length(1),
});

/** A message as an incoming webhook of Mattermost takes it: 16,383 characters in a post. */
const mattermost = z.looseObject({
  attachments: z
    .array(
      z.looseObject({
        fallback: z.string().min(1),
        color: z.enum(['good', 'warning', 'danger']),
        title: z.string().min(1),
        title_link: link,
        text: z.string().min(1).max(16_383),
      }),
    )
    .length(1),
});

const telegram = z.looseObject({ chat_id: z.literal('-100123'), text: z.string().min(1).max(4096) });

/** A message as ntfy takes it in JSON: 4,096 bytes of message, three buttons. */
const ntfy = z.strictObject({
  topic: z.string().regex(/^[\w-]{1,64}$/),
  priority: z.int().min(1).max(5),
  title: z.string().min(1).max(250),
  message: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= 4096, 'longer than 4,096 bytes'),
  click: link,
  actions: z.array(z.strictObject({ action: z.literal('view'), label: z.string().min(1), url: link })).max(3),
});

const incidentio = z.looseObject({ version: z.literal('1'), alerts: z.array(z.looseObject({})).min(1).max(100) });

/** A new or changed issue of Jira's API of version 2, whose descriptions are text. */
const issue = z.looseObject({
  fields: z.looseObject({
    project: z.object({ key: z.literal('OPS') }),
    issuetype: z.object({ name: z.literal('Task') }),
    summary: z.string().min(1).max(255),
    description: z.string().min(1).max(32_767),
    labels: z.array(z.string().regex(/^\S+$/)),
    priority: z.never().optional(),
  }),
});

const SERVICES: Record<string, { schema: z.ZodType; ok: number; answer?: object }> = {
  '/slack': { schema: slack, ok: 200 },
  '/teams': { schema: teams, ok: 202 },
  '/pagerduty': { schema: pagerduty, ok: 202 },
  '/discord': { schema: discord, ok: 204 },
  '/mattermost': { schema: mattermost, ok: 200 },
  '/bot12345:telegram-token/sendMessage': {
    schema: telegram,
    ok: 200,
    answer: { ok: true, result: { message_id: 1, date: 1, chat: { id: -100123, type: 'group' } } },
  },
  '/ntfy': { schema: ntfy, ok: 200 },
  '/incidentio': { schema: incidentio, ok: 202 },
};

/** A Jira project, whose issues are looked for by their labels: what the path asks for, and what it changes. */
function startJira() {
  type Issue = { key: string; description: string; summary: string; labels: string[]; done: boolean };
  const issues: Issue[] = [];
  const shown = ({ key, done }: Issue) => ({
    key,
    fields: { status: { statusCategory: { key: done ? 'done' : 'new' } } },
  });
  function answer(method: string, path: string, body: string): { status: number; json?: object } {
    if (path.startsWith('search')) {
      const label = /labels="(.*?)" order/.exec(JSON.parse(body).jql)?.[1] ?? '';
      return { status: 200, json: { issues: issues.filter(({ labels }) => labels.includes(label)).map(shown) } };
    }
    const found = issues.find(({ key }) => path.startsWith(`issue/${key}`));
    if (path.endsWith('/transitions')) {
      if (method === 'GET')
        return {
          status: 200,
          json: {
            transitions: [
              { id: '1', name: 'To Do' },
              { id: '2', name: 'Done' },
            ],
          },
        };
      if (found !== undefined) found.done = JSON.parse(body).transition.id === '2';
      return { status: 204 };
    }
    const { fields } = issue.parse(JSON.parse(body));
    if (found !== undefined) {
      Object.assign(found, fields);
      return { status: 204 };
    }
    const made = { ...fields, key: `OPS-${issues.length + 1}`, done: false };
    issues.push(made);
    return { status: 201, json: { key: made.key } };
  }
  return { issues, answer };
}

const JIRA = '/jira/rest/api/2/';

/** A way to fail: an HTTP status, or a connection that is cut without an answer. */
export type Failure = number | 'cut';

/**
 * The services that people are told by, on one address, as strict as they are; anything else is
 * taken as it comes.
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
    request.on('end', () => {
      const path = request.url ?? '';
      if (path.startsWith(JIRA)) answerJira(request.method ?? '', path.slice(JIRA.length), body, response);
      else answer(path, body, response);
    });
  });
  const jira = startJira();
  function answerJira(method: string, path: string, body: string, response: ServerResponse): void {
    try {
      const { status, json } = jira.answer(method, path, body);
      response.writeHead(status, { 'content-type': 'application/json' }).end(json && JSON.stringify(json));
    } catch (error) {
      refused.push(`${method} ${path}: ${error instanceof z.ZodError ? z.prettifyError(error) : error}\n${body}`);
      response.writeHead(400).end('invalid');
    }
  }
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
    response.writeHead(service?.ok ?? 200).end(service?.answer === undefined ? 'ok' : JSON.stringify(service.answer));
  }
  return {
    ...server,
    /** Bodies that a path took, oldest first. */
    // biome-ignore lint/suspicious/noExplicitAny: bodies of three services, checked above
    at: (path: string): any[] => taken.filter((one) => one.path === path).map(({ body }) => body),
    issues: jira.issues,
    /** Messages that were sent and refused, each with the reason; none when all is well. */
    refused,
    /** Fails the next requests to a path in this way, one after the other. */
    fail: (path: string, ...how: Failure[]) => failures.set(path, [...how]),
    failing: (path: string) => failures.get(path)?.length ?? 0,
  };
}
