import { TUNABLE, WINDOWS, type Window } from '../domain/names.ts';
import { readRules } from '../prometheus/rule-files.ts';

/** The constants of the band, as the rule files have them now. */
export interface BandTunables {
  z: Record<Window, number>;
  minEvents: Record<Window, number>;
  noiseZ: number;
  tailZ: number;
  dispersionPrior: number;
  dispersionMin: number;
  dispersionMax: number;
}

/**
 * Reads the constants from a folder of rules.
 * @throws Error that names the tunable which is missing or is no `vector(number)`
 */
export async function readTunables(rulesDir: string): Promise<BandTunables> {
  const { recording } = await readRules(rulesDir);
  const read = (name: string, window?: Window): number => {
    const rule = recording.find(({ record, labels }) => record === name && labels.window === window);
    const where = `${name}${window === undefined ? '' : ` of the window ${window}`}`;
    if (rule === undefined) throw new Error(`${rulesDir}: has no ${where}`);
    const value = /^\s*vector\(\s*([\d.]+)\s*\)\s*$/.exec(rule.expr)?.[1];
    if (value === undefined) throw new Error(`${rule.file}: ${where} is ${rule.expr}, expected vector(NUMBER)`);
    return Number(value);
  };
  const byWindow = (name: string) =>
    Object.fromEntries(WINDOWS.map((window) => [window, read(name, window)])) as Record<Window, number>;
  return {
    z: byWindow(TUNABLE.z),
    minEvents: byWindow(TUNABLE.minEvents),
    noiseZ: read(TUNABLE.noiseZ),
    tailZ: read(TUNABLE.tailZ),
    dispersionPrior: read(TUNABLE.dispersionPrior),
    dispersionMin: read(TUNABLE.dispersionMin),
    dispersionMax: read(TUNABLE.dispersionMax),
  };
}
