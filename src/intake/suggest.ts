import leven from 'leven';

/** Names that other programs give to the fields of a report. */
const ALSO_CALLED: Readonly<Record<string, readonly string[]>> = {
  timestamp: ['ts', 'time', 'date', 'datetime', 'minute', 'eventtime', 'createdat', 'isodate', 'unixtime'],
  status: ['state', 'result', 'outcome', 'eventstatus'],
  count: ['n', 'qty', 'quantity', 'total', 'volume', 'value', 'f0', 'number'],
  F1: ['n', 'f0', 'qty', 'quantity', 'total', 'volume', 'value', 'count'],
  counts: ['fields', 'totals', 'statuses'],
  auth_code: ['code', 'responsecode', 'authcode', 'authorizationcode', 'rc'],
  authCodes: ['codes', 'responsecodes', 'authcodes'],
  labels: ['tags', 'dimensions', 'attributes'],
  source: ['host', 'hostname', 'service', 'sender', 'origin', 'program'],
  id: ['uuid', 'eventid', 'transactionid', 'key'],
};

/** `amount` resembles `count`, and is none. */
const MONEY = /amount|price|valor|betrag|montant|fee$/;

const plain = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

/** The one of `known` that somebody may have meant by `name`; undefined where none is near. */
export function suggest(name: string, known: readonly string[]): string | undefined {
  const key = plain(name.slice(0, 60));
  if (MONEY.test(key)) return undefined;
  const same = known.find((one) => plain(one) === key) ?? known.find((one) => ALSO_CALLED[one]?.includes(key));
  if (same !== undefined || key.length < 4) return same;
  const near = known.map((one) => ({ one, distance: leven(plain(one), key, { maxDistance: 3 }) }));
  const [nearest] = near.sort((a, b) => a.distance - b.distance);
  return nearest !== undefined && nearest.distance <= Math.min(2, key.length / 3) ? nearest.one : undefined;
}

/** A value as an error shows it: `a string, "6"`; short whatever it is. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  const text = JSON.stringify(value) ?? String(value);
  const brief = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return typeof value === 'string' ? `a string: ${brief}` : brief;
}
