/** Node's own SQLite where it needs no flag, else the package with the same interface. */
const BUILT_IN = 'node:sqlite';
/** @type {typeof import('@photostructure/sqlite')} */
const { DatabaseSync } = await import(BUILT_IN).catch(() => import('@photostructure/sqlite'));

export { DatabaseSync };
