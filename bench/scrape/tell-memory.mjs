/**
 * Loaded into a service before its program (`node --expose-gc --import`): tells what it needs after
 * a collection, when asked.
 */
process.on('message', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  process.send?.({ heapUsed, external, rss });
});
// Asking is no reason to stay.
process.channel?.unref();
