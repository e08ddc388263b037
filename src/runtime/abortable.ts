/**
 * The outcome of `work`, or the abort reason as soon as the signal aborts. For bodies of `fetch`:
 * aborted at the wrong moment, undici 6 leaves `response.json()` pending for ever, although it has
 * the signal too.
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
