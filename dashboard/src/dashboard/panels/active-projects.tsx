// How many projects deployed, by network.
import { graphql } from "../../../generated/graphql";
import { ChartComponent } from "../charts/chart";
import { count, counted } from "../format/numbers";
import { groupName } from "../format/words";
import { CATEGORIES } from "../charts/shapes";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment ActiveProjects on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      activeProjects
      active: byNetwork(first: 6) { kind name activeProjects series { start end open activeProjects } }
    }
  }
`);

export const activeProjects = panel({
  name: "active-projects",
  title: "Active projects by network",
  columns: 6,
  fragment,
  roots: ["deploymentStats"],
  View({ data, view }) {
    const { activeProjects: all, active } = data.deploymentStats;
    const groups = (active ?? []).filter(({ kind, activeProjects }) => kind !== "OTHERS" && activeProjects).map((group) => ({ ...group, name: groupName(group, "network") }));
    if (groups.length === 0) return <Empty>No project deployed in this time.</Empty>;
    const series = groups.map(({ name, series: points }, index) => ({
      name,
      tone: CATEGORIES[index] ?? "quiet",
      kind: "line" as const,
      values: (points ?? []).map((point) => point.activeProjects),
    }));
    const isShared = groups.reduce((sum, group) => sum + (group.activeProjects ?? 0), 0) > (all ?? 0);
    const figures = groups.map(({ name, activeProjects }) => `${count(activeProjects)} in ${name}`).join(", ");
    return (
      <>
        <ChartComponent label="Active projects by network" buckets={groups[0]?.series ?? []} series={series} zone={view.zone} format={count} />
        <p className="sub">
          In the whole range {counted(all ?? 0, "project")}: {figures}.{isShared && " Some are in several networks."}
        </p>
      </>
    );
  },
});
