// Error occurrences over time, with the releases that were rolled back.
import { graphql } from "../../../generated/graphql";
import { ChartComponent } from "../charts/chart";
import { count } from "../format/numbers";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment ErrorOccurrences on Query {
    errorStats(filter: $errorFilter, range: $range, timeZone: $zone) {
      series { start end open occurrences }
    }
    rolledBack: deployments(filter: $filter, statuses: [ROLLED_BACK], range: $range, timeZone: $zone, first: 30) {
      nodes { deploymentId release finishedAt rolledBackAt project { slug } }
    }
  }
`);

export const errorRate = panel({
  name: "errors",
  title: "Errors, and releases that were rolled back",
  columns: 6,
  height: 210,
  alert: { measure: "ERROR_OCCURRENCES" },
  fragment,
  roots: ["errorStats"],
  View({ data, view }) {
    const points = data.errorStats.series ?? [];
    const markers = (data.rolledBack?.nodes ?? []).flatMap(({ deploymentId, release, finishedAt, project }) =>
      finishedAt === null
        ? []
        : [
            {
              at: finishedAt,
              label: `${release ?? project.slug} was released, then rolled back`,
              href: view.link(`/deployments/${deploymentId}`),
            },
          ],
    );
    if (markers.length === 0 && points.every(({ occurrences }) => occurrences === 0)) {
      return <Empty>No error occurred in this time.</Empty>;
    }
    const series = [{ name: "Occurrences", tone: "bad", kind: "bar" as const, values: points.map(({ occurrences }) => occurrences) }];
    return <ChartComponent label="Error occurrences" buckets={points} series={series} zone={view.zone} format={count} markers={markers} />;
  },
});
