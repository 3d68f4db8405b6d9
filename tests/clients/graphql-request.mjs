// graphql-request, the smallest of them.
import { ClientError, GraphQLClient } from "graphql-request";
import { endpoint, headers, noted, operation, project, tell, unknown } from "./common.mjs";

const requests = [];
const client = new GraphQLClient(endpoint, { headers, fetch: noted(requests) });
const ask = (name, variables) => client.request(operation(name), variables);

const ids = [];
let page;
let pages = 0;
do {
  const variables = { project, first: 100, after: page?.pageInfo.endCursor };
  page = (await ask("Deployments", variables)).deployments;
  ids.push(...page.edges.map((edge) => edge.node.id));
  pages += 1;
} while (page.pageInfo.hasNextPage && pages < 10);

const listed = [...requests];
const again = await ask("Again", { id: ids[0] });
const figures = await ask("Figures", { project });
const named = await ask("NameProject", { slug: project, name: "Named by graphql-request" });
const refused = await ask("NameProject", { slug: "x".repeat(201), name: "No" });
const error = await ask("Figures", { project: unknown }).then(() => null, (thrown) => thrown);

tell({
  ids,
  pages,
  total: page.totalCount,
  first: again.node,
  again: again.node,
  figures: figures.deploymentStats,
  named: named.upsertProject,
  userErrors: refused.upsertProject.userErrors,
  errorIsGraphQL: error instanceof ClientError,
  codes: (error.response.errors ?? []).map((one) => one.extensions.code),
  listed,
  requests,
});
