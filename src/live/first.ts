import { copy } from './copy.ts';
import { byId } from './dom.ts';

/** The command that posts a first report to this very service. */
export function createFirst(): void {
  const url = new URL('api/v1/transactions', location.href.split(/[?#]/)[0]);
  const command = `curl ${url} \\
  -H 'Content-Type: application/json' \\
  -d '{"source": "pos-gateway", "counts": {"approved": 116, "denied": 6, "failed": 0}}'`;
  byId('curl').textContent = command;
  byId('copy').addEventListener('click', () => void copy(command));
}
