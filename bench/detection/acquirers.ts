import { INCIDENT_KINDS } from '../../src/incidents.ts';
import type { MinuteCounts } from '../../src/simulate.ts';
import { type Finding, textTable } from '../project.ts';
import { COMPARED_SIGNALS, OWN } from './detectors.ts';
import { makeRun, type Run } from './make-run.ts';
import { foundOf, type Pooled, poolScores } from './pool.ts';
import { atLeast, atMost, inWords, play } from './score-table.ts';

export interface AcquirersOptions {
  /** How many; each has the traffic and the incidents of a seed of its own. */
  acquirers: number;
  log: (line: string) => void;
}

export interface AcquirersScore {
  /** An incident is found by an alert with the label of its acquirer; an alert with another's label is false. */
  together: Pooled;
  /** Each acquirer's history played by itself, without the label. */
  alone: Pooled;
  acquirers: number;
}

const FIRST_SEED = 11;
/** Of each; a silent feed is one for all acquirers. */
const RUN = {
  variant: 'base',
  volumePerMinute: 130,
  historyDays: 7,
  scoredDays: 5,
  perKind: 1,
  kinds: INCIDENT_KINDS.filter((kind) => kind !== 'feed-dead'),
} as const;

/** Our rules on one history in which acquirers are a label, beside the same traffic of each alone. */
export async function compareAcquirers(options: AcquirersOptions): Promise<AcquirersScore> {
  const runs = Array.from({ length: options.acquirers }, (_, index) => ({
    acquirer: `acquirer-${index + 1}`,
    run: makeRun({ ...RUN, seed: FIRST_SEED + index }),
  }));
  const [first] = runs;
  if (first === undefined) throw new Error('there is no acquirer');
  const { alerts } = await play({ ...first.run, minutes: together(runs) }, OWN);
  const found = runs.map(({ acquirer, run }) => {
    const named = { alerts: alerts.filter(({ labels }) => labels.acquirer === acquirer) };
    return foundOf(run, named, COMPARED_SIGNALS);
  });
  options.log(`together: ${inWords(poolScores(found))}`);
  const alone = [];
  for (const { acquirer, run } of runs) {
    const one = foundOf(run, await play(run, OWN), COMPARED_SIGNALS);
    options.log(`${acquirer} alone: ${inWords(poolScores([one]))}`);
    alone.push(one);
  }
  return { together: poolScores(found), alone: poolScores(alone), acquirers: runs.length };
}

/** Every minute with the counts of all acquirers, each under its label. */
function* together(runs: readonly { acquirer: string; run: Run }[]): Generator<MinuteCounts> {
  for (const [index, { minute }] of (runs[0]?.run.minutes ?? []).entries()) {
    const labelled = runs.map(({ acquirer, run }) => ({
      labels: { acquirer },
      counts: run.minutes[index]?.counts ?? {},
    }));
    yield { minute, labelled };
  }
}

/** As people read it. */
export function acquirersText({ together, alone, acquirers }: AcquirersScore): string {
  const row = (name: string, { f1, detected, incidents, falseAlarms, days, medianDelay }: Pooled): string[] => [
    name,
    f1 === null ? '-' : f1.toFixed(3),
    medianDelay === null ? '-' : medianDelay.toFixed(1),
    `${detected}/${incidents}`,
    String(falseAlarms),
    ((7 * falseAlarms) / days).toFixed(2),
  ];
  return textTable([
    [`${acquirers} acquirers`, 'F1', 'delay', 'found', 'false', 'false/acquirer/week'],
    row('one history, label acquirer', together),
    row('each alone', alone),
  ]);
}

/** No worse than each alone. */
export function acquirersFindings({ together, alone, acquirers }: AcquirersScore): Finding[] {
  const of = `of ${acquirers} acquirers as a label`;
  return [
    atLeast(`F1 ${of}`, Number(alone.f1?.toFixed(3)), together.f1),
    atMost(`false alarms ${of}, and of each alone`, alone.falseAlarms, together.falseAlarms),
  ];
}
