import type {
  AnnotationQuery,
  Dashboard,
  DashboardLink,
  DataQuery,
  FieldConfig,
  Panel,
  RowPanel,
  VariableModel,
} from '@grafana/schema';
import type * as Stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as StateTimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as Table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as Text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as TimeSeries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/**
 * Grafana's own schema as a dashboard file has it: enums are their values, and each type of panel
 * has the options and field settings that this type knows. Grafana's `Panel` takes any options, so
 * that a misspelled one would pass.
 */
type Json<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

/** A query of Grafana's Prometheus data source, which the schema does not describe. */
export interface PromQuery extends DataQuery {
  expr: string;
  legendFormat?: string;
  instant: boolean;
  range: boolean;
  format: 'time_series' | 'table';
  /** Least step. */
  interval?: string;
  editorMode: 'code';
}

export interface Override {
  matcher: { id: 'byName' | 'byRegexp' | 'byFrameRefID'; options: string };
  properties: { id: string; value: unknown }[];
}

/** Fields of all types; a link is one of a value. */
export type Field<Custom> = Omit<Json<FieldConfig>, 'custom' | 'links'> & {
  custom?: Json<Custom>;
  links?: { title: string; url: string; targetBlank?: boolean }[];
};

type Kind<Type extends string, Options, Custom> = Omit<Json<Panel>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Type;
  options: Json<Options>;
  fieldConfig: { defaults: Field<Custom>; overrides: Override[] };
  targets?: PromQuery[];
};

export type LineField = TimeSeries.FieldConfig;
export type TimelineField = StateTimeline.FieldConfig;
export type CellField = Partial<Table.FieldConfig>;

export type StatPanel = Kind<'stat', Stat.Options, object>;
export type TimeSeriesPanel = Kind<'timeseries', TimeSeries.Options, LineField>;
export type TablePanel = Kind<'table', Table.Options, CellField>;
export type StateTimelinePanel = Kind<'state-timeline', StateTimeline.Options, TimelineField>;
export type TextPanel = Kind<'text', Text.Options, object>;
export type AnyPanel = StatPanel | TimeSeriesPanel | TablePanel | StateTimelinePanel | TextPanel;

type Annotation = Omit<Json<AnnotationQuery>, 'target'> & {
  target?: PromQuery;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
  /** The value is the time of the annotation, in milliseconds. */
  useValueForTime?: boolean;
};

export type Variable = Json<VariableModel>;
export type Link = Json<DashboardLink>;

export type CheckedDashboard = Omit<Json<Dashboard>, 'panels' | 'annotations' | 'templating' | 'links'> & {
  uid: string;
  title: string;
  schemaVersion: 42;
  panels: (AnyPanel | Json<RowPanel>)[];
  annotations: { list: Annotation[] };
  templating: { list: Variable[] };
  links: Link[];
};
