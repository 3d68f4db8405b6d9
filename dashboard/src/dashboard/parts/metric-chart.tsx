// A table of `metrics` as a chart: its first column, with gaps where the second, what it divides by, is 0.
import type { Dimension as Grouping, ExploreQuery } from "../../../generated/graphql";
import { type Measure, wordsOf } from "../api/catalogue";
import { ChartComponent, type Marker } from "../charts/chart";
import { CATEGORIES, type Series } from "../charts/shapes";
import { formatOf, ticksOf } from "../format/units";
import { groupName, lower } from "../format/words";
import { Empty } from "../panels/panel";

export type Table = NonNullable<ExploreQuery["metrics"]>;

export type Shown = Pick<Table, "buckets" | "groups"> & { columns: Pick<Table["columns"][number], "values">[] };

type Props = {
  table: Shown;
  measure: Measure;
  by: Grouping | null;
  zone: string;
  /** A value to compare with, drawn as a line. */
  bound?: number;
  markers?: Marker[];
  height?: number;
};

export function MetricChart({ table, measure, by, zone, bound, markers = [], height = 320 }: Props) {
  const [column, below] = table.columns;
  const series: Series[] = table.groups.map((group, index) => ({
    name: nameOf(group, by, measure),
    tone: group.isOthers ? "quiet" : (CATEGORIES[index] ?? "quiet"),
    // Beside a bound each group is compared by itself, so bars are not stacked.
    kind: measure.additive && bound === undefined ? "bar" : "line",
    values: (column?.values[index] ?? []).map((value, at) => (below?.values[index]?.[at] === 0 ? null : value)),
  }));
  if (series.every(({ values }) => values.every((value) => !value))) return <Empty>There is nothing to count in this time.</Empty>;
  if (bound !== undefined) series.push({ name: "bound", tone: "bound", kind: "line", values: table.buckets.map(() => bound) });
  return (
    <ChartComponent
      label={titleOf(measure, by)}
      buckets={table.buckets}
      series={series}
      zone={zone}
      format={formatOf(measure.unit)}
      ticks={ticksOf(measure.unit)}
      height={height}
      markers={markers}
    />
  );
}

export function titleOf(measure: Measure, by: Grouping | null): string {
  const text = wordsOf(measure);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${by === null ? "" : ` by ${lower(by)}`}`;
}

export function nameOf(group: Table["groups"][number], by: Grouping | null, measure: Measure): string {
  if (by === null) return wordsOf(measure);
  const [key] = group.keys;
  return groupName(group.isOthers || key === undefined ? { kind: "OTHERS", name: null } : key, lower(by));
}
