// Median and 95th percentile of durations over time; a gap where nothing finished.
import type { View } from "../address/view";
import { duration } from "../format/numbers";
import { Empty } from "../panels/panel";
import { ChartComponent } from "./chart";
import { type Bucket, ticksOfTime } from "./scale";

type Point = Bucket & { durationP50Ms: number | null; durationP95Ms: number | null };

/** `empty` is said where nothing finished at all. */
export function TimesChart({ label, points, view, empty }: { label: string; points: Point[] | null; view: View; empty: string }) {
  if (!points?.some(({ durationP50Ms }) => durationP50Ms !== null)) return <Empty>{empty}</Empty>;
  const series = [
    { name: "95th percentile", tone: "line-2", kind: "line" as const, values: points.map(({ durationP95Ms }) => durationP95Ms) },
    { name: "Median", tone: "line", kind: "line" as const, values: points.map(({ durationP50Ms }) => durationP50Ms) },
  ];
  return <ChartComponent label={label} buckets={points} series={series} zone={view.zone} format={duration} ticks={ticksOfTime} />;
}
