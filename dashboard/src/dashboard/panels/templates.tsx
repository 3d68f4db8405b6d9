// The templates that most deployments came from.
import { graphql, type TemplatesFragment } from "../../../generated/graphql";
import type { View } from "../address/view";
import { count, counted, exact, percent } from "../format/numbers";
import { groupName } from "../format/words";
import { ShareList } from "../parts/share-list";
import { type Data, Empty, panel } from "./panel";

const fragment = graphql(`
  fragment Templates on Query {
    deploymentStats(filter: $filter, range: $range, timeZone: $zone) {
      byTemplate(first: 7) { kind name attempts share activeProjects }
    }
  }
`);

export const templates = panel({
  name: "templates",
  title: "Templates",
  columns: 4,
  height: 265,
  fragment,
  roots: ["deploymentStats"],
  View: Templates,
});

function Templates({ data, view }: { data: Data<TemplatesFragment, "deploymentStats">; view: View }) {
  const groups = (data.deploymentStats.byTemplate ?? []).filter(({ attempts }) => attempts > 0);
  if (groups.length === 0) return <Empty>Nothing was deployed in this time.</Empty>;
  const shares = groups.map(({ kind, name, attempts, share, activeProjects }) => ({
    name: groupName({ kind, name }, "template"),
    share: kind === "NAMED" ? share : 0,
    text: count(attempts),
    title: `${exact(attempts)} deployments, ${percent(share)}`,
    note: activeProjects === null ? undefined : counted(activeProjects, "project"),
    href: name === null ? undefined : view.link("/", { template: [name] }),
  }));
  return <ShareList label="Deployments by template" shares={shares} tone="line-2" />;
}
