import type {
  AnyPanel,
  CellField,
  Field,
  LineField,
  Override,
  PromQuery,
  StateTimelinePanel,
  StatPanel,
  TablePanel,
  TextPanel,
  TimelineField,
  TimeSeriesPanel,
} from './schema.ts';

export const DATASOURCE = { type: 'prometheus', uid: '$' + '{datasource}' };

interface QueryOptions {
  /** Least step; default that of the data source. */
  interval?: string;
}

/**
 * A query over the time range; `legend` may hold {{label}}. The caller names queries by `named`.
 */
export const over = (expr: string, legend: string, options: QueryOptions = {}): PromQuery => ({
  ...base(expr),
  legendFormat: legend,
  instant: false,
  range: true,
  format: 'time_series',
  ...options,
});

/** A query at the end of the time range. */
export const at = (expr: string, legend: string): PromQuery => ({
  ...base(expr),
  legendFormat: legend,
  instant: true,
  range: false,
  format: 'time_series',
});

/** The same as rows of a table: a column a label, and one for the value. */
export const rowsAt = (expr: string): PromQuery => ({ ...base(expr), instant: true, range: false, format: 'table' });

const base = (expr: string) => ({ refId: '', datasource: DATASOURCE, editorMode: 'code' as const, expr });

/** A, B, C ... in the order given. */
const named = (queries: PromQuery[]): PromQuery[] =>
  queries.map((query, index) => ({ ...query, refId: String.fromCharCode(65 + index) }));

interface Common<Custom> {
  title: string;
  description: string;
  queries: PromQuery[];
  unit?: string;
  decimals?: number;
  /** Shown where there are no data: why that may be. */
  noValue?: string;
  field?: Field<Custom>;
  overrides?: Override[];
  links?: { title: string; url: string }[];
}

const linked = (links: { title: string; url: string }[] = []) =>
  links.map(({ title, url }) => ({
    title,
    url,
    type: 'link' as const,
    icon: '',
    tooltip: '',
    tags: [],
    asDropdown: false,
    includeVars: true,
    keepTime: true,
    targetBlank: false,
  }));

function common<Custom>({ title, description, queries, links }: Common<Custom>) {
  const panel = { title, description, datasource: DATASOURCE, targets: named(queries) };
  return links === undefined ? panel : { ...panel, links: linked(links) };
}

function fields<Custom>(options: Common<Custom>, custom: Field<Custom>) {
  const { unit, decimals, noValue, field, overrides = [] } = options;
  const defaults: Field<Custom> = {
    ...custom,
    ...(unit !== undefined && { unit }),
    ...(decimals !== undefined && { decimals }),
    ...(noValue !== undefined && { noValue }),
    ...field,
  };
  return { defaults, overrides };
}

/** Colour by value: the first step's holds from the lowest value on. */
export const steps = (first: string, ...rest: [from: number, color: string][]) => ({
  mode: 'absolute' as const,
  steps: [{ color: first, value: null }, ...rest.map(([value, color]) => ({ color, value }))],
});

export interface StatOptions extends Common<object> {
  /** A faint curve of the time range behind the number. */
  curve?: boolean;
  /** What is written; default the value alone. */
  show?: 'value' | 'value_and_name' | 'name';
  /** Colours the number by its thresholds or its fixed colour. */
  colored?: boolean;
}

export function stat(options: StatOptions): StatPanel {
  const { curve = false, show = 'value', colored = true } = options;
  return {
    type: 'stat',
    ...common(options),
    fieldConfig: fields(options, { color: { mode: 'thresholds' }, thresholds: steps('text') }),
    options: {
      colorMode: colored ? 'value' : 'none',
      graphMode: curve ? 'area' : 'none',
      justifyMode: 'auto',
      orientation: 'auto',
      percentChangeColorMode: 'standard',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      showPercentChange: false,
      textMode: show,
      wideLayout: true,
    },
  };
}

export interface LineOptions extends Common<LineField> {
  /** The unit's name beside the axis. */
  axis?: string;
  stacked?: boolean;
  bars?: boolean;
  /** What the legend adds up of each series; default its last value. */
  calcs?: string[];
  /** The legend as a list below instead of a table. */
  list?: boolean;
  /** Values may be below 0. */
  signed?: boolean;
}

export function lines(options: LineOptions): TimeSeriesPanel {
  const { axis = '', stacked = false, bars = false, list = false, signed = false, calcs = ['lastNotNull'] } = options;
  return {
    type: 'timeseries',
    ...common(options),
    fieldConfig: fields(options, {
      color: { mode: 'palette-classic-by-name' },
      ...(!signed && { min: 0 }),
      custom: {
        axisLabel: axis,
        drawStyle: bars ? 'bars' : 'line',
        lineWidth: stacked ? 0 : 2,
        fillOpacity: stacked || bars ? 70 : 0,
        showPoints: 'never',
        // A gap of up to five minutes is what one late report leaves.
        spanNulls: 300_000,
        stacking: { mode: stacked ? 'normal' : 'none', group: 'A' },
      },
    }),
    options: {
      legend: {
        showLegend: true,
        displayMode: list ? 'list' : 'table',
        placement: list ? 'bottom' : 'right',
        calcs: list ? [] : calcs,
      },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

export interface TableOptions extends Common<CellField> {
  /**
   * Columns in their order: the field as the queries give it, and what it is called. Others are
   * hidden.
   */
  columns: [field: string, title: string][];
  /** The column, as called, that is sorted by, largest first. */
  sortBy: string;
  /** Smallest first. */
  ascending?: boolean;
  /** Before columns are chosen. */
  transformations?: TablePanel['transformations'];
}

export function table(options: TableOptions): TablePanel {
  const { columns, sortBy, ascending = false, transformations = [] } = options;
  return {
    type: 'table',
    ...common(options),
    fieldConfig: fields(options, { custom: { align: 'auto', cellOptions: { type: 'auto' }, inspect: false } }),
    options: {
      cellHeight: 'sm',
      frameIndex: 0,
      showHeader: true,
      sortBy: [{ displayName: sortBy, desc: !ascending }],
    },
    transformations: [
      // Queries become columns: rows with the same labels are one row.
      { id: 'merge', options: {} },
      ...transformations,
      { id: 'filterFieldsByName', options: { include: { names: columns.map(([field]) => field) } } },
      {
        id: 'organize',
        options: {
          excludeByName: {},
          indexByName: Object.fromEntries(columns.map(([field], index) => [field, index])),
          renameByName: Object.fromEntries(columns),
        },
      },
    ],
  };
}

/** Which value each series had when, as bars in the colours of the thresholds. */
export const timeline = (options: Common<TimelineField>): StateTimelinePanel => ({
  type: 'state-timeline',
  ...common(options),
  fieldConfig: fields(options, { color: { mode: 'thresholds' }, custom: { fillOpacity: 80, lineWidth: 0 } }),
  options: {
    alignValue: 'left',
    mergeValues: true,
    rowHeight: 0.8,
    showValue: 'never',
    legend: { showLegend: false, displayMode: 'list', placement: 'bottom', calcs: [] },
    tooltip: { mode: 'single', sort: 'none' },
  },
});

export const text = (title: string, content: string): TextPanel => ({
  type: 'text',
  title,
  fieldConfig: { defaults: {}, overrides: [] },
  options: { mode: 'markdown', content },
});

/** Settings of the series or column of one name. */
export const override = (name: string, properties: Record<string, unknown>): Override => ({
  matcher: { id: 'byName', options: name },
  properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
});

export const fixedColor = (color: string) => ({ mode: 'fixed' as const, fixedColor: color });

type Placed = [width: number, panel: AnyPanel];
export type Section = { title: string; rows: [height: number, ...Placed[]][] };

/** Puts panels in rows of 24 columns below section headings, and numbers them in reading order. */
export function layout(sections: Section[]) {
  const panels = [];
  let y = 0;
  for (const { title, rows } of sections) {
    if (title !== '') {
      const gridPos = { h: 1, w: 24, x: 0, y };
      panels.push({ type: 'row' as const, id: panels.length + 1, title, collapsed: false, panels: [], gridPos });
      y += 1;
    }
    for (const [h, ...placed] of rows) {
      let x = 0;
      for (const [w, panel] of placed) {
        panels.push({ id: panels.length + 1, gridPos: { h, w, x, y }, ...panel });
        x += w;
      }
      y += h;
    }
  }
  return panels;
}
