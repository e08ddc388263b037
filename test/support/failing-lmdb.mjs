/** Preloaded: the first transaction of a take-over fails as LMDB's do when its list of free pages is wrong. */
import { register } from 'node:module';

const hooks = `
export async function load(url, context, next) {
  const loaded = await next(url, context);
  if (!url.endsWith('/ledger/take-over.mjs')) return loaded;
  const source = String(loaded.source).replace('env.transactionSync(', 'failOnce(), env.transactionSync(');
  return { ...loaded, source: source + \`
    let failed = false;
    function failOnce() {
      if (failed) return;
      failed = true;
      throw Object.assign(new Error('MDB_NOTFOUND: No matching key/data pair found'), { code: -30798 });
    }\` };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
