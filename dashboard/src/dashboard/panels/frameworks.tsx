// The frameworks of what was deployed.
import { type FrameworksFragment, graphql } from "../../../generated/graphql";
import { count, exact, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { ShareList } from "../parts/share-list";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Frameworks on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      byFramework(first: 6) { kind name attempts share failureRate }
    }
  }
`);

export const frameworks = panel({
  name: "frameworks",
  title: "Frameworks",
  columns: 4,
  fragment,
  roots: ["deploymentStats"],
  View: Frameworks,
});

function Frameworks({ data }: { data: Data<FrameworksFragment, "deploymentStats"> }) {
  const groups = (data.deploymentStats.byFramework ?? []).filter(({ attempts }) => attempts > 0);
  if (groups.length === 0) return <Empty>Nothing was deployed in this time.</Empty>;
  const shares = groups.map(({ kind, name, attempts, share, failureRate }) => ({
    name: groupName({ kind, name }, "framework"),
    share: kind === "NAMED" ? share : 0,
    text: count(attempts),
    title: `${exact(attempts)} deployments, ${percent(share)}`,
    note: `${percent(failureRate)} failed`,
  }));
  return <ShareList label="Deployments by framework" shares={shares} tone="line-2" />;
}
