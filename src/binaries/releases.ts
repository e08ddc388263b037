export type BinaryName = 'prometheus' | 'promtool' | 'alertmanager' | 'amtool' | 'pushgateway';

/** A release family: programs that are released, packaged and fetched together. */
export interface Release {
  project: 'prometheus' | 'alertmanager' | 'pushgateway';
  /** The version that is fetched. */
  version: string;
  /** The oldest version that will do. */
  floor: string;
  programs: readonly BinaryName[];
  debianPackages: readonly string[];
}

const PROMETHEUS: Release = {
  project: 'prometheus',
  version: '3.5.3',
  floor: '3.5.0',
  programs: ['prometheus', 'promtool'],
  debianPackages: ['prometheus', 'promtool'],
};

export const ALERTMANAGER: Release = {
  project: 'alertmanager',
  version: '0.33.1',
  floor: '0.28.0',
  programs: ['alertmanager', 'amtool'],
  debianPackages: ['prometheus-alertmanager'],
};

/** What the benchmarks measure against; nothing else asks for it. */
export const PUSHGATEWAY: Release = {
  project: 'pushgateway',
  version: '1.11.2',
  floor: '1.5.0',
  programs: ['pushgateway'],
  debianPackages: ['prometheus-pushgateway'],
};

/** Fetched together: who needs one needs the other. */
export const STACK = [PROMETHEUS, ALERTMANAGER];

/**
 * What the rules must also pass on; only the tests ask for it. In bookworm promtool is part of
 * `prometheus`.
 */
export const OLD_PROMETHEUS: Release = {
  ...PROMETHEUS,
  version: '2.42.0',
  floor: '2.42.0',
  debianPackages: ['prometheus'],
};
