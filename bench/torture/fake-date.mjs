/** Preloaded into the service: its Date is as many seconds off as a file says at that moment. */
import { readFileSync } from 'node:fs';

const file = process.env.FAKE_DATE_FILE ?? '';
const RealDate = Date;
const now = () => RealDate.now() + Number(readFileSync(file, 'utf8')) * 1000;

globalThis.Date = /** @type {DateConstructor} */ (
  new Proxy(RealDate, {
    construct: (_target, given, made) => Reflect.construct(RealDate, given.length === 0 ? [now()] : given, made),
    apply: () => new RealDate(now()).toString(),
    get: (_target, name) => (name === 'now' ? now : Reflect.get(RealDate, name)),
  })
);
