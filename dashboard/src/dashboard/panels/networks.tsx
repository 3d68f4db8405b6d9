// The deployments by network, with how often they failed there.
import { graphql, type NetworksFragment } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, exact, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { ShareList } from "../parts/share-list";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Networks on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      failureRate
      byNetwork(first: 6) { kind name attempts share failureRate }
    }
  }
`);

export const networks = panel({
  name: "networks",
  title: "Networks",
  columns: 4,
  height: 165,
  fragment,
  roots: ["deploymentStats"],
  View: Networks,
});

/** A group that fails this many times as often as all together is pointed out. */
const STRIKING = 1.5;

function Networks({ data, view }: { data: Data<NetworksFragment, "deploymentStats">; view: View }) {
  const groups = (data.deploymentStats.byNetwork ?? []).filter(({ attempts }) => attempts > 0);
  if (groups.length === 0) return <Empty>Nothing was deployed in this time.</Empty>;
  const shares = groups.map(({ kind, name, attempts, share, failureRate }) => ({
    name: groupName({ kind, name }, "network"),
    share,
    text: count(attempts),
    title: `${exact(attempts)} deployments, ${percent(share)}`,
    note: `${percent(failureRate)} failed`,
    noteTone: failureRate > STRIKING * data.deploymentStats.failureRate ? "is-bad" : undefined,
    href: name === null ? undefined : view.link("/", { network: [name] }),
  }));
  return <ShareList label="Deployments by network" shares={shares} tone="info" />;
}
