import type { Context } from 'koa';
import { z } from 'zod';
import { meaningOf } from '../../domain/auth-codes.ts';
import { extraLabels } from '../../domain/labels.ts';
import { AUTH_CODE_RECORDED } from '../../domain/names.ts';
import type { Sample } from '../../prometheus/client.ts';
import type { Route, Services } from './route.ts';

const share = (description: string) => z.number().nullable().meta({ description });
const authCode = z
  .object({
    code: z.string(),
    meaning: z.string().meta({ description: 'ISO 8583, field 39; says so where the code is not a common one' }),
    labels: z.record(z.string(), z.string()),
    observed: z.number(),
    expected: z.number().nullable().meta({ description: 'null while there is no baseline' }),
    share: share('Of all codes but 00 now, 0 to 1; null where there are none'),
    usualShare: share('Of what is expected of all codes but 00'),
    firing: z.boolean().meta({ description: 'AuthCodeAboveNormal fires for it' }),
  })
  .meta({ id: 'AuthCode' });
type AuthCode = z.output<typeof authCode>;

const APPROVED = '00';
const RECORDED = `{__name__=~"${Object.values(AUTH_CODE_RECORDED).join('|')}", auth_code!="${APPROVED}"}`;
const FIRING = 'ALERTS{alertname="AuthCodeAboveNormal", alertstate="firing"}';

const groupOf = (labels: Record<string, string>): string => JSON.stringify(extraLabels(labels));
const keyOf = (labels: Record<string, string>): string => `${labels.auth_code} ${groupOf(labels)}`;

/** Values by code and extra labels, and their sums by extra labels. */
function tally(samples: Sample[], name: string) {
  const values = new Map<string, number>();
  const sums = new Map<string, number>();
  for (const { labels, value } of samples) {
    if (labels.__name__ !== name || !Number.isFinite(value)) continue;
    values.set(keyOf(labels), value);
    sums.set(groupOf(labels), (sums.get(groupOf(labels)) ?? 0) + value);
  }
  return { values, sums };
}

const ratio = (part: number | undefined, whole = 0): number | null =>
  part === undefined || whole === 0 ? null : part / whole;

/** The largest excess over what is expected first. */
function describe(samples: Sample[], firing: Sample[]): AuthCode[] {
  const observed = tally(samples, AUTH_CODE_RECORDED.observed);
  const expected = tally(samples, AUTH_CODE_RECORDED.expected);
  const alarmed = new Set(firing.map(({ labels }) => keyOf(labels)));
  const codes = samples
    .filter(({ labels }) => labels.__name__ === AUTH_CODE_RECORDED.observed)
    .map(({ labels, value }) => {
      const usual = expected.values.get(keyOf(labels));
      return {
        code: labels.auth_code ?? '',
        meaning: meaningOf(labels.auth_code ?? ''),
        labels: extraLabels(labels),
        observed: value,
        expected: usual ?? null,
        share: ratio(value, observed.sums.get(groupOf(labels))),
        usualShare: ratio(usual, expected.sums.get(groupOf(labels))),
        firing: alarmed.has(keyOf(labels)),
      };
    });
  const excess = (one: AuthCode) => one.observed - (one.expected ?? 0);
  return codes.sort((a, b) => excess(b) - excess(a) || (a.code < b.code ? -1 : 1));
}

async function list(ctx: Context, { prometheus }: Services): Promise<void> {
  const [samples, firing] = await Promise.all([prometheus.instant(RECORDED), prometheus.instant(FIRING)]);
  ctx.body = { window: '5m', codes: describe(samples, firing) };
}

export function authCodeRoutes(services: Services): Route[] {
  return [
    {
      method: 'get',
      path: '/api/v1/auth-codes',
      role: 'read',
      operation: {
        summary: 'Which answers of the issuers there are now, against what is normal; the largest excess first',
        description: 'Of the last five minutes. Shares are of the codes that are no approval.',
        responses: {
          200: {
            description: 'All codes but 00, of the last five minutes',
            content: {
              'application/json': { schema: z.object({ window: z.literal('5m'), codes: z.array(authCode) }) },
            },
          },
        },
      },
      handle: (ctx) => list(ctx, services),
    },
  ];
}
