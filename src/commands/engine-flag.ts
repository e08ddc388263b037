import { UsageError } from '../config/usage-error.ts';
import { ENGINES, type Engine } from '../engines/engine-names.ts';

/** The engine that `--for` names. @throws UsageError when there is no such engine */
export function engineNamed(name: string): Engine {
  const engine = ENGINES.find((known) => known === name);
  if (engine === undefined) throw new UsageError(`--for ${name}: no such engine; it is one of ${ENGINES.join(', ')}`);
  return engine;
}
