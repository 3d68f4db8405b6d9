// How the deployments are split among the networks, whichever is chosen; and the figures of each.
import { graphql, type NetworkSplitFragment } from "../../../generated/graphql";
import { ChartComponent } from "../charts/chart";
import { CATEGORIES } from "../charts/shapes";
import { count, counted, exact, NOTHING, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { type Column, Table } from "../parts/table";
import { Link } from "../address/link";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment NetworkSplit on Query {
    split: deploymentStats(filter: $everywhere, range: $range, timeZone: $zone) {
      attempts
      byNetwork(first: 20) {
        kind name attempts succeeded failed finished successRate activeProjects share
        series { start end open attempts }
      }
    }
  }
`);

export const networkSplit = panel({
  name: "network-split",
  title: "Network split",
  columns: 12,
  fragment,
  roots: ["split"],
  View({ data: { split }, view }) {
    const groups = (split.byNetwork ?? []).filter(({ attempts }) => attempts > 0);
    if (groups.length === 0) return <Empty>Nothing was deployed in this time.</Empty>;
    const series = groups.map((group, index) => ({
      name: nameOf(group),
      tone: CATEGORIES[index] ?? "quiet",
      kind: "bar" as const,
      values: (group.series ?? []).map(({ attempts }) => attempts),
    }));
    return (
      <>
        <ChartComponent label="Deployments by network" buckets={groups[0]?.series ?? []} series={series} zone={view.zone} format={count} height={200} />
        <Table label="Networks" columns={COLUMNS} rows={groups} keyOf={nameOf} view={view} />
        <p className="sub">{counted(split.attempts, "deployment")} in all networks.</p>
      </>
    );
  },
});

type Group = NonNullable<NonNullable<NetworkSplitFragment["split"]>["byNetwork"]>[number];

const nameOf = (group: Group) => groupName(group, "network");

const COLUMNS: Column<Group>[] = [
  { title: "Network", cell: (group, view) => (group.name === null ? nameOf(group) : <Link href={view.link("/telemetry", { network: [group.name] })}>{group.name}</Link>) },
  { title: "Deployments", isNumber: true, cell: ({ attempts }) => count(attempts), exactly: ({ attempts }) => exact(attempts) },
  { title: "Share", isNumber: true, cell: ({ share }) => percent(share) },
  { title: "Succeeded", isNumber: true, cell: ({ succeeded }) => count(succeeded), exactly: ({ succeeded }) => exact(succeeded) },
  { title: "Failed", isNumber: true, cell: ({ failed }) => count(failed), exactly: ({ failed }) => exact(failed) },
  { title: "Success rate", isNumber: true, cell: ({ successRate, finished }) => (finished > 0 ? percent(successRate) : NOTHING) },
  { title: "Projects", isNumber: true, cell: ({ activeProjects }) => count(activeProjects) },
];
