// The templates that most deployments came from.
import { graphql } from "../../../generated/graphql";
import { counted } from "../format/numbers";
import { deploymentShares, ShareList } from "../parts/share-list";
import { panel } from "./panel";

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
  alert: { measure: "DEPLOYMENT_FAILURE_RATE_OF_FINISHES", by: "template" },
  fragment,
  roots: ["deploymentStats"],
  View: ({ data: { deploymentStats }, view }) => (
    <ShareList
      label="Deployments by template"
      shares={deploymentShares(deploymentStats.byTemplate, "template", ({ name, activeProjects }) => ({
        note: activeProjects === null ? undefined : counted(activeProjects, "project"),
        href: name === null ? undefined : view.link("/", { template: [name] }),
      }))}
      tone="line-2"
      empty="Nothing was deployed in this time."
    />
  ),
});
