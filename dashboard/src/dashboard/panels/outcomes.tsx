// How the deployments of each bucket ended.
import { graphql, type OutcomesFragment } from "../../../generated/graphql";
import type { View } from "../address/view";
import { ChartComponent } from "../charts/chart";
import { count } from "../format/numbers";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Outcomes on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      series { start end open succeeded failed cancelled rolledBack queued inProgress }
    }
  }
`);

export const outcomes = panel({
  name: "outcomes",
  title: "Deployments by outcome",
  columns: 8,
  fragment,
  roots: ["deploymentStats"],
  View: Outcomes,
});

function Outcomes({ data, view }: { data: Data<OutcomesFragment, "deploymentStats">; view: View }) {
  const points = data.deploymentStats.series ?? [];
  const series = [
    { name: "Failed", tone: "bad", values: points.map(({ failed }) => failed) },
    { name: "Rolled back", tone: "warn", values: points.map(({ rolledBack }) => rolledBack) },
    { name: "Succeeded", tone: "good", values: points.map(({ succeeded }) => succeeded) },
    { name: "Cancelled", tone: "quiet", values: points.map(({ cancelled }) => cancelled) },
    { name: "Unfinished", tone: "busy", values: points.map(({ queued, inProgress }) => queued + inProgress) },
  ].map((one) => ({ ...one, kind: "bar" as const }));
  if (series.every(({ values }) => values.every((value) => value === 0))) {
    return <Empty>Nothing was deployed in this time.</Empty>;
  }
  return <ChartComponent label="Deployments by outcome" buckets={points} series={series} zone={view.zone} format={count} height={220} />;
}
