// How the deployments of each bucket ended, as stacked bars.
import type { View } from "../address/view";
import { count } from "../format/numbers";
import { ChartComponent } from "./chart";
import type { Bucket } from "./scale";

type Point = Bucket & { succeeded: number; failed: number; cancelled: number; rolledBack: number; queued: number; inProgress: number };

export function OutcomesChart({ label, points, view, height }: { label: string; points: Point[]; view: View; height: number }) {
  const series = [
    { name: "Failed", tone: "bad", values: points.map(({ failed }) => failed) },
    { name: "Rolled back", tone: "warn", values: points.map(({ rolledBack }) => rolledBack) },
    { name: "Succeeded", tone: "good", values: points.map(({ succeeded }) => succeeded) },
    { name: "Cancelled", tone: "quiet", values: points.map(({ cancelled }) => cancelled) },
    { name: "Unfinished", tone: "busy", values: points.map(({ queued, inProgress }) => queued + inProgress) },
  ].map((one) => ({ ...one, kind: "bar" as const }));
  return <ChartComponent label={label} buckets={points} series={series} zone={view.zone} format={count} height={height} />;
}
