// How much each template is used of all that was deployed, in the chosen networks.
import { graphql } from "../../../generated/graphql";
import { ChartComponent } from "../charts/chart";
import { CATEGORIES } from "../charts/shapes";
import { count, exact, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { deploymentShares, ShareList } from "../parts/share-list";
import { Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Adoption on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      attempts
      adoption: byTemplate(first: 100) { kind name attempts succeeded share }
      adopted: byTemplate(first: 6) { kind name series { start end open attempts } }
    }
  }
`);

export const adoption = panel({
  name: "adoption",
  title: "Template adoption",
  columns: 12,
  fragment,
  roots: ["deploymentStats"],
  View({ data, view }) {
    const { adoption: groups, adopted } = data.deploymentStats;
    const shares = deploymentShares(groups, "template", ({ name, attempts, succeeded, share }) => ({
      share,
      text: percent(share),
      title: `${exact(attempts)} deployments, ${exact(succeeded)} of them succeeded`,
      note: `${count(succeeded)} of ${count(attempts)} ok`,
      href: name === null ? undefined : view.link(`/templates/${encodeURIComponent(name)}`),
    }));
    if (shares.length === 0) return <Empty>Nothing was deployed in this time.</Empty>;
    const series = (adopted ?? []).map(({ kind, name, series: points }, index) => ({
      name: groupName({ kind, name }, "template"),
      tone: kind === "NAMED" ? (CATEGORIES[index] ?? "quiet") : "quiet",
      kind: "bar" as const,
      values: (points ?? []).map(({ attempts }) => attempts),
    }));
    return (
      <>
        <ChartComponent label="Deployments by template" buckets={adopted?.[0]?.series ?? []} series={series} zone={view.zone} format={count} height={200} />
        <ShareList label="Adoption by template" shares={shares} tone="line-2" />
      </>
    );
  },
});
