// The frameworks of what was deployed.
import { graphql } from "../../../generated/graphql";
import { percent } from "../format/numbers";
import { deploymentShares, ShareList } from "../parts/share-list";
import { panel } from "./panel";

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
  View: ({ data: { deploymentStats } }) => (
    <ShareList
      label="Deployments by framework"
      shares={deploymentShares(deploymentStats.byFramework, "framework", ({ failureRate }) => ({ note: `${percent(failureRate)} failed` }))}
      tone="line-2"
      empty="Nothing was deployed in this time."
    />
  ),
});
