export type BinaryName = 'prometheus' | 'promtool' | 'alertmanager' | 'amtool' | 'pushgateway';

/** A release family: programs that are released, packaged and fetched together. */
export interface Release {
  project: 'prometheus' | 'alertmanager' | 'pushgateway';
  /** The oldest version that will do. */
  floor: string;
  /** The official archives, by platform and architecture as their names have them. */
  archives?: { version: string; sha256: Readonly<Record<string, string>> };
  programs: readonly BinaryName[];
  debianPackages: readonly string[];
}

const PROMETHEUS: Release = {
  project: 'prometheus',
  floor: '3.5.0',
  archives: {
    version: '3.5.0',
    sha256: {
      'linux-amd64': 'e811827af26d822afb09a4f28314f61b618b12cff5369835a67f674d8b46f39a',
      'linux-arm64': '173389cc42bf09c4e6e54cb53fa07a5a835d7c261e14775d2183181d6e385d1c',
    },
  },
  programs: ['prometheus', 'promtool'],
  debianPackages: ['prometheus', 'promtool'],
};

export const ALERTMANAGER: Release = {
  project: 'alertmanager',
  floor: '0.28.0',
  archives: {
    version: '0.33.1',
    sha256: {
      'linux-amd64': '93d802cba6a8d27239d747ce117df7648d326ab67394e32247540b030e9842ba',
      'linux-arm64': '50b32a346c3c29da411643dfa84990440e8fd03800380d7e664f22a863b7a0cf',
    },
  },
  programs: ['alertmanager', 'amtool'],
  debianPackages: ['prometheus-alertmanager'],
};

/** The benchmarks measure against the Pushgateway; nothing else asks for it. */
export const PUSHGATEWAY: Release = {
  project: 'pushgateway',
  floor: '1.5.0',
  programs: ['pushgateway'],
  debianPackages: ['prometheus-pushgateway'],
};

/** These are fetched together, because who needs one needs the other. */
export const STACK = [PROMETHEUS, ALERTMANAGER];

/**
 * The oldest release that the rules must pass on; only the tests ask for it. In bookworm promtool
 * is part of `prometheus`.
 */
export const OLD_PROMETHEUS: Release = {
  project: 'prometheus',
  floor: '2.42.0',
  programs: ['prometheus', 'promtool'],
  debianPackages: ['prometheus'],
};
