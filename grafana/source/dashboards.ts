import { readRules } from '../../src/prometheus/rule-files.ts';
import { alerts } from './alerts.ts';
import { authCodes } from './auth-codes.ts';
import { health } from './health.ts';
import { hours } from './hours.ts';
import type { CheckedDashboard } from './schema.ts';
import { transactions } from './transactions.ts';

/** Every dashboard, by the name of its file in grafana/dashboards. */
export async function dashboards(rulesDir: string): Promise<Record<string, CheckedDashboard>> {
  const rules = await readRules(rulesDir);
  return {
    'transactions.json': transactions,
    'auth-codes.json': authCodes,
    'hours.json': hours,
    'alerts.json': alerts([...new Set(rules.alerts.map(({ alert }) => alert))].sort()),
    'tillwatch.json': health,
  };
}

export const render = (dashboard: CheckedDashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`;
