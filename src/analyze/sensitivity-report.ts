import { formatCount } from '../reports/format.ts';
import type { ReportSection } from './report.ts';
import type { Sensitivity, WindowAdvice } from './sensitivity.ts';

const n = (title: string) => ({ title, number: true });

/** Suggests z and min_events, and says why. */
export function sensitivitySection(sensitivity: Sensitivity | undefined): ReportSection {
  const head = { id: 'sensitivity', title: 'Suggested sensitivity' };
  if (sensitivity === undefined)
    return {
      ...head,
      lead: 'Fewer than two hours of clean minutes, or nothing to judge: too little to suggest from.',
      tables: [],
    };
  const { minutes, weeksDrawn, windows, statuses } = sensitivity;
  return {
    ...head,
    lead:
      `For prometheus/rules/tunables.rules.yml. ${weeksDrawn} weeks without incidents were drawn at the volume and with the over-dispersion of the ${formatCount(minutes)} clean minutes of this ` +
      'file, and judged by the band of the rules. What it called anomalies are the false alarms that chance alone brings; what else is normal (campaigns, batches, holidays) comes on ' +
      'top, so that backtest on this file has the last word.',
    tables: [
      {
        caption: 'Settings by window',
        columns: [
          { title: 'window' },
          n('z'),
          n('min_events'),
          n('false alarms a week'),
          n('lowest z for the goal'),
          { title: 'suggestion' },
        ],
        rows: windows.map((window) => [
          window.window,
          String(window.z),
          String(window.minEvents),
          rate(window.falseAlarmsPerWeek, weeksDrawn),
          window.lowestZ === undefined ? 'none' : window.lowestZ.toFixed(1),
          suggestion(window, weeksDrawn),
        ]),
      },
      {
        caption: 'Noise by status, on clean minutes',
        columns: [
          { title: 'status' },
          n('usual a minute'),
          n('quietest hour'),
          n('busiest hour'),
          n('c by minute'),
          n('c by hour'),
          ...windows.map(({ window }) => n(`pages in ${window}`)),
        ],
        rows: statuses.map(({ status, perMinute, dispersion, finds }) => [
          status,
          ...[perMinute.mean, perMinute.quietest, perMinute.busiest].map(formatCount),
          dispersion.minute.toFixed(2),
          dispersion.hour.toFixed(2),
          ...finds.map(({ expected, upper }) => `${formatCount(Math.floor(upper) + 1)} of ${formatCount(expected)}`),
        ]),
      },
    ],
    notes: [
      `The goal is one false alarm in four weeks by chance alone, shared among the four windows. c is the relative standard deviation that counts have on top of chance (over-dispersion).`,
      `"Pages in 5m: 51 of 30" reads: where 30 events in 5 minutes are usual (an hour of middling traffic), 51 spread evenly are the fewest that page with the settings as they are.`,
      ...(minutes < 7 * 1440 ? ['Learned from less than a week: days differ more than this file can show.'] : []),
    ],
  };
}

/** Shows no more digits than the drawn weeks support. */
const rate = (perWeek: number, weeks: number): string =>
  perWeek === 0 ? `< ${(1 / weeks).toFixed(2)}` : perWeek.toFixed(2);

function suggestion(
  { z, minEvents, suggestedZ, lowestZ, suggestedFalseAlarmsPerWeek, suggestedMinEvents }: WindowAdvice,
  weeks: number,
) {
  if (suggestedMinEvents > minEvents)
    return {
      text: `min_events ${suggestedMinEvents}: so few events come by chance, whatever z (${rate(suggestedFalseAlarmsPerWeek, weeks)} a week)`,
      tone: 'bad' as const,
    };
  if (suggestedZ > z)
    return {
      text: `z ${suggestedZ.toFixed(1)}: brings it to ${rate(suggestedFalseAlarmsPerWeek, weeks)} a week`,
      tone: 'bad' as const,
    };
  const room = lowestZ !== undefined && z - lowestZ >= 0.5 ? `; chance alone would allow ${lowestZ.toFixed(1)}` : '';
  return { text: `keep${room}`, tone: 'good' as const };
}
