import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { UsageError } from '../config/usage-error.ts';
import { messageOf } from '../runtime/log.ts';
import { Problem } from './problem.ts';

export const ROLES = ['ingest', 'read', 'webhook', 'operate'] as const;
export type Role = (typeof ROLES)[number];

export interface Access {
  /**
   * Says whether a request may do what needs a role.
   * @returns who asks, as a text that tells nothing of the token; undefined where nobody is asked
   *   for one
   * @throws Problem 401 or 403
   */
  admit(role: Role, authorization: string | undefined): string | undefined;
  /** All roles where nobody is asked for a token. */
  rolesOf(authorization: string | undefined): readonly Role[];
}

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
  if (file === '') return { admit: () => undefined, rolesOf: () => ROLES };
  const own: Grant[] = internal === undefined ? [] : [{ name: 'internal', hash: digest(internal), roles: [...ROLES] }];
  const grants = [...readGrants(file), ...own];
  const tokenIn = (authorization = ''): string | undefined => /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  // Every grant is compared, in constant time, so that the time tells nothing of how far a guess
  // got.
  const grantsOf = (token: string): Grant[] => {
    const hash = digest(token);
    return grants.filter((grant) => timingSafeEqual(grant.hash, hash));
  };
  return {
    admit(role, authorization) {
      const token = tokenIn(authorization);
      const headers = { 'WWW-Authenticate': 'Bearer realm="tillwatch"' };
      if (token === undefined) throw new Problem(401, 'this needs "Authorization: Bearer TOKEN"', { headers });
      const found = grantsOf(token);
      if (found.length === 0) throw new Problem(401, 'this token is not known', { headers });
      if (!found.some(({ roles }) => roles.includes(role)))
        throw new Problem(403, `this token does not have the role "${role}"`);
      return found[0]?.name;
    },
    rolesOf: (authorization) => [...new Set(grantsOf(tokenIn(authorization) ?? '').flatMap(({ roles }) => roles))],
  };
}
