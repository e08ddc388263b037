/**
 * A command or a setting used wrongly: the message goes to stderr and the exit code is 2. It holds
 * every problem, one a line, so that a start needs one correction and not five.
 */
export class UsageError extends Error {
  override name = 'UsageError';
}
