import type { Status } from '../domain/names.ts';

/**
 * Colours that people who see red and green alike can tell apart, at 4.5 to 1 or more against the
 * page, in light and dark (see style.ts). Charts never rely on colour alone: lines differ in
 * dashes, spans in texture, and everything is named.
 */
export type Color = 'blue' | 'vermilion' | 'purple' | 'ochre' | 'teal' | 'grey' | 'magenta';

export const COLORS: readonly Color[] = ['blue', 'vermilion', 'purple', 'ochre', 'teal', 'magenta', 'grey'];

export const STATUS_COLOR: Record<Status, Color> = {
  approved: 'blue',
  denied: 'vermilion',
  failed: 'purple',
  reversed: 'ochre',
  backend_reversed: 'teal',
  refunded: 'grey',
  processing: 'magenta',
};
