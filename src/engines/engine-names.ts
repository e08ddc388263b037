/**
 * Programs that evaluate the rules. mimir stands for Cortex as well; operator is a Prometheus that
 * the Prometheus Operator runs.
 */
export const ENGINES = ['prometheus', 'vmalert', 'mimir', 'thanos', 'operator'] as const;
export type Engine = (typeof ENGINES)[number];
