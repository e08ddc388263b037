import { STATUSES, type Status } from '../../src/domain/names.ts';
import { type Color, STATUS_COLOR } from '../../src/reports/colors.ts';

/**
 * The hues of the live page and the reports, in a lightness that stands out (3 to 1) on Grafana's
 * white and on its black.
 */
const HUE: Record<Color, string> = {
  blue: '#3d85e0',
  vermilion: '#e05a2b',
  purple: '#a66bd4',
  ochre: '#b58a1b',
  teal: '#1a969c',
  grey: '#7f8791',
  magenta: '#d9549b',
};

/** A status has this colour in every panel of every dashboard. */
export const statusColor = (status: Status): string => HUE[STATUS_COLOR[status]];

/** What is normal is drawn in grey, so that colour is left for what happened. */
export const NORMAL = HUE.grey;
/** Grafana's own names, which follow its theme. Only for good and bad. */
export const GOOD = 'green';
export const WARNING = 'orange';
export const BAD = 'red';
export const PLAIN = 'text';

const fixed = (color: string) => ({ mode: 'fixed' as const, fixedColor: color });

/** Gives each series that is named as a status its colour. */
export const STATUS_COLORS = STATUSES.map((status) => ({
  matcher: { id: 'byName' as const, options: status },
  properties: [{ id: 'color', value: fixed(statusColor(status)) }],
}));
