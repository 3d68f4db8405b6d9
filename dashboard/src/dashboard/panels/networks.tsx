// The deployments by network, with how often they failed there.
import { graphql } from "../../../generated/graphql";
import { percent } from "../format/numbers";
import { deploymentShares, ShareList } from "../parts/share-list";
import { panel } from "./panel";

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
  alert: { measure: "DEPLOYMENT_FAILURE_RATE_OF_FINISHES", by: "network" },
  fragment,
  roots: ["deploymentStats"],
  View: ({ data: { deploymentStats }, view }) => (
    <ShareList
      label="Deployments by network"
      shares={deploymentShares(deploymentStats.byNetwork, "network", ({ name, share, failureRate }) => ({
        share,
        note: `${percent(failureRate)} failed`,
        noteTone: failureRate > STRIKING * deploymentStats.failureRate ? "is-bad" : undefined,
        href: name === null ? undefined : view.link("/", { network: [name] }),
      }))}
      tone="info"
      empty="Nothing was deployed in this time."
    />
  ),
});

/** A group that fails this many times as often as all together is pointed out. */
const STRIKING = 1.5;
