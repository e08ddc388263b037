import { APPROVED_CODES, meaningOf } from '../../src/domain/auth-codes.ts';
import { AUTH_CODE_RECORDED, METRIC } from '../../src/domain/names.ts';
import { choice, dashboard, select, UID } from './frame.ts';
import { BAD, NORMAL, PLAIN, WARNING } from './palette.ts';
import { fixedColor, layout, lines, over, override, rowsAt, steps, table } from './panels.ts';
import type { Field } from './schema.ts';

const NO_APPROVAL = `auth_code!~"${APPROVED_CODES.join('|')}"`;
const DECLINED = `auth_code=~"$auth_code", ${NO_APPROVAL}`;
const byCode = (metric: string) => `sum by (auth_code) (${select(metric, DECLINED)})`;
const now = byCode(AUTH_CODE_RECORDED.observed);
const normal = byCode(AUTH_CODE_RECORDED.expected);
const times = `${now} / (${normal} > 0)`;
const shares = `${now} / on () group_left () (sum(${select(AUTH_CODE_RECORDED.observed, DECLINED)}) > 0)`;

const NOT_LEARNED = 'Nothing yet: reports carry no authCodes, or there are less than two hours of them';

const CODES = Array.from({ length: 100 }, (_, code) => String(code).padStart(2, '0')).filter(
  (code) => meaningOf(code) !== meaningOf(''),
);
const meaning = (code: string) => `${code} ${meaningOf(code)}`;
/** What codes mean, in a column of codes. */
const MEANINGS: Field<object>['mappings'] = [
  { type: 'value', options: Object.fromEntries(CODES.map((code, index) => [code, { index, text: meaning(code) }])) },
];
/**
 * The same for series that are named by their code. Codes that are no decline are left out of the
 * panels.
 */
const NAMES = CODES.filter((code) => !APPROVED_CODES.includes(code)).map((code) =>
  override(code, { displayName: meaning(code) }),
);

const comparison = table({
  title: 'Codes in the last 5 minutes, against normal',
  description:
    'Normal is the usual share of each code at this time of day. A code 1.5 times above its usual share, and by more than chance, warns; ' +
    'which codes drive an incident shows in the column of what is above normal.',
  queries: [rowsAt(now), rowsAt(normal), rowsAt(`${now} - ${normal}`), rowsAt(times), rowsAt(shares)],
  columns: [
    ['auth_code', 'Code'],
    ['Value #A', 'Now'],
    ['Value #B', 'Normal'],
    ['Value #C', 'Above normal by'],
    ['Value #D', 'Times normal'],
    ['Value #E', 'Share of denials'],
  ],
  sortBy: 'Above normal by',
  decimals: 1,
  noValue: NOT_LEARNED,
  overrides: [
    override('Code', { mappings: MEANINGS, 'custom.width': 300 }),
    override('Now', { decimals: 0 }),
    override('Times normal', {
      unit: 'suffix: ×',
      thresholds: steps(PLAIN, [1.5, WARNING], [3, BAD]),
      'custom.cellOptions': { type: 'color-text' },
    }),
    override('Share of denials', {
      unit: 'percentunit',
      min: 0,
      max: 1,
      color: fixedColor(NORMAL),
      'custom.cellOptions': { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' },
    }),
  ],
});

const composition = lines({
  title: 'What denied is made of',
  description: 'Transactions answered with each code, in 5 minutes.',
  queries: [over(now, '{{auth_code}}')],
  decimals: 0,
  noValue: NOT_LEARNED,
  stacked: true,
  calcs: ['lastNotNull', 'max'],
  overrides: NAMES,
});

const excess = lines({
  title: 'Above normal, by code',
  description: 'How many more than normal in 5 minutes. The area of an incident is made of the codes that drive it.',
  queries: [over(`clamp_min(${now} - ${normal}, 0)`, '{{auth_code}}')],
  decimals: 0,
  noValue: NOT_LEARNED,
  stacked: true,
  calcs: ['lastNotNull', 'max'],
  overrides: NAMES,
});

const ratio = lines({
  title: 'Times normal',
  description: '1 is the usual share of this time of day. From the dashed line on, at 1.5, a code may warn.',
  queries: [over(times, '{{auth_code}}')],
  unit: 'suffix: ×',
  decimals: 1,
  noValue: NOT_LEARNED,
  calcs: ['lastNotNull', 'max'],
  field: {
    thresholds: steps('transparent', [1.5, WARNING]),
    custom: { thresholdsStyle: { mode: 'dashed' }, lineWidth: 2, showPoints: 'never', spanNulls: 300_000 },
  },
  overrides: NAMES,
});

const share = lines({
  title: 'Share of denials',
  description: 'Of all answers that are no approval.',
  queries: [over(shares, '{{auth_code}}')],
  unit: 'percentunit',
  decimals: 1,
  noValue: NOT_LEARNED,
  stacked: true,
  field: { max: 1 },
  overrides: NAMES,
});

export const authCodes = dashboard({
  uid: UID.authCodes,
  title: 'Auth codes',
  description:
    'Which answers of the issuers make up the denials, now and normally. The names are those of ISO 8583, field 39.',
  from: '6h',
  variables: [choice('auth_code', `${METRIC.authCodes}{${NO_APPROVAL}}`, 'Codes to look at; approvals are left out.')],
  panels: layout([
    { title: '', rows: [[9, [24, comparison]]] },
    {
      title: 'Over time',
      rows: [
        [9, [12, excess], [12, composition]],
        [9, [12, ratio], [12, share]],
      ],
    },
  ]),
});
