const MINUTE_MS = 60_000;
const HALF_HOUR_MS = 30 * MINUTE_MS;
/** Zones reach from UTC-12 to UTC+14. */
const FURTHEST_MS = 14 * 60 * MINUTE_MS;
/** A report of the last minute comes within this time. */
const ON_THE_WAY_MS = 5 * MINUTE_MS;

/**
 * True where times that are so far off may be local times without an offset: zones are whole or
 * half hours apart.
 * @param behind milliseconds; negative for times in the future
 */
export function mayBeLocalTime(behind: number): boolean {
  const rest = ((behind % HALF_HOUR_MS) + HALF_HOUR_MS) % HALF_HOUR_MS;
  const distance = Math.abs(behind);
  return distance > HALF_HOUR_MS - ON_THE_WAY_MS && distance <= FURTHEST_MS + ON_THE_WAY_MS && rest <= ON_THE_WAY_MS;
}

/** `3 h 20 min`; whole minutes. */
export function duration(ms: number): string {
  const minutes = Math.floor(ms / MINUTE_MS);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 && `${hours} h`, (rest > 0 || hours === 0) && `${rest} min`].filter(Boolean).join(' ');
}
