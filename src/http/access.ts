import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from '../config/usage-error.ts';
import { messageOf } from '../runtime/log.ts';
import { Problem } from './problem.ts';

export const ROLES = ['ingest', 'read', 'webhook', 'operate'] as const;
export type Role = (typeof ROLES)[number];

/**
 * Says whether a request may do what needs a role.
 * @returns who asks, as a text that tells nothing of the token; undefined where nobody is asked for
 *   one
 * @throws Problem 401 or 403
 */
export type Access = (role: Role, authorization: string | undefined) => string | undefined;

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

interface Grant {
  /** Its place among the tokens. */
  name: string;
  hash: Buffer;
  roles: Role[];
}

function parseLine(line: string, where: string): Grant {
  const [names = '', token = '', ...rest] = line.split(/\s+/);
  const roles = names.split(',') as Role[];
  const wrong = roles.find((role) => !ROLES.includes(role));
  if (wrong !== undefined) throw new UsageError(`${where}: "${wrong}" is no role; roles are ${ROLES.join(', ')}`);
  if (rest.length > 0 || token.length < 16)
    throw new UsageError(`${where}: must be "ROLE TOKEN", with a token of at least 16 characters and no spaces`);
  return { name: where, hash: digest(token), roles };
}

function readGrants(file: string): Grant[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--tokens-file: cannot read ${file}: ${messageOf(error)}`);
  }
  const lines = text.split('\n').map((line, i) => ({ line: line.trim(), where: `${file}:${i + 1}` }));
  const grants = lines
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, where }) => parseLine(line, where));
  if (grants.length === 0) throw new UsageError(`${file}: holds no token; write one "ROLE TOKEN" a line`);
  return grants;
}

/**
 * Reads the tokens of `file`, keeping hashes only; without a file everything is allowed.
 * @param internal a token with every role, for what this program starts itself
 * @throws UsageError that names the line
 */
export function createAccess(file: string, internal?: string): Access {
  if (file === '') return () => undefined;
  const own: Grant[] = internal === undefined ? [] : [{ name: 'internal', hash: digest(internal), roles: [...ROLES] }];
  const grants = [...readGrants(file), ...own];
  return (role, authorization) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    const headers = { 'WWW-Authenticate': 'Bearer realm="tillwatch"' };
    if (token === undefined) throw new Problem(401, 'this needs "Authorization: Bearer TOKEN"', { headers });
    const hash = digest(token);
    // Every grant is compared, in constant time, so that the time tells nothing of how far a guess
    // got.
    const found = grants.filter((grant) => timingSafeEqual(grant.hash, hash));
    const held = found.flatMap((grant) => grant.roles);
    if (held.length === 0) throw new Problem(401, 'this token is not known', { headers });
    if (!held.includes(role)) throw new Problem(403, `this token does not have the role "${role}"`);
    return found[0]?.name;
  };
}
