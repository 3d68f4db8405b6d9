// How often functions ran, and how often that failed.
import { graphql } from "../../../generated/graphql";
import { ChartComponent } from "../charts/chart";
import { count } from "../format/numbers";
import { LeftOut } from "../parts/left-out";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Invocations on Query {
    functionStats(filter: $functionFilter, range: $range, timeZone: $zone) {
      series { start end open invocations errors }
    }
  }
`);

export const invocations = panel({
  name: "invocations",
  title: "Function invocations",
  columns: 8,
  height: 250,
  alert: { measure: "FUNCTION_ERROR_RATE" },
  fragment,
  roots: ["functionStats"],
  View({ data, view }) {
    const points = data.functionStats.series ?? [];
    const series = [
      { name: "Failed", tone: "bad", values: points.map(({ errors }) => errors) },
      { name: "Succeeded", tone: "info", values: points.map(({ invocations, errors }) => invocations - errors) },
    ].map((one) => ({ ...one, kind: "bar" as const }));
    if (points.every(({ invocations }) => invocations === 0)) return <Empty>No function ran in this time.</Empty>;
    return (
      <>
        <LeftOut things="Functions" lack={["network", "template"]} view={view} />
        <ChartComponent label="Function invocations" buckets={points} series={series} zone={view.zone} format={count} height={220} />
      </>
    );
  },
});
