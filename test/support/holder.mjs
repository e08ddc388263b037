/** Holds the folder that it was started with, when it is told to, and says what came of it. */
const { holdFolder } = await import(String(new URL('../../dist/lock.js', import.meta.url)));

// Listens on, which keeps it alive until it is killed.
process.on('message', () =>
  holdFolder(process.argv[2]).then(
    () => process.send?.('held'),
    (/** @type {Error} */ error) => process.send?.(error.message),
  ),
);
process.send?.('ready');
