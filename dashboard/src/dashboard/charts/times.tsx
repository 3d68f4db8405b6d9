// Median and 95th percentile of durations over time; a gap where nothing finished.
import type { View } from "../address/view";
import { duration } from "../format/numbers";
import { ChartComponent } from "./chart";
import { type Bucket, ticksOfTime } from "./scale";

type Point = Bucket & { durationP50Ms: number | null; durationP95Ms: number | null };

export function TimesChart({ label, points, view }: { label: string; points: Point[]; view: View }) {
  const series = [
    { name: "95th percentile", tone: "line-2", kind: "line" as const, values: points.map(({ durationP95Ms }) => durationP95Ms) },
    { name: "Median", tone: "line", kind: "line" as const, values: points.map(({ durationP50Ms }) => durationP50Ms) },
  ];
  return <ChartComponent label={label} buckets={points} series={series} zone={view.zone} format={duration} ticks={ticksOfTime} />;
}
