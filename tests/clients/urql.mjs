// urql, with its document cache and the exchange for persisted queries.
import { Client, cacheExchange, fetchExchange } from "@urql/core";
import { persistedExchange } from "@urql/exchange-persisted";
import { endpoint, headers, noted, operation, project, tell, unknown } from "./common.mjs";

const requests = [];
const client = new Client({
  url: endpoint,
  fetch: noted(requests),
  fetchOptions: { headers },
  preferGetMethod: false,
  exchanges: [
    cacheExchange,
    persistedExchange({ preferGetForPersistedQueries: true }),
    fetchExchange,
  ],
});
const ask = async (name, variables) => {
  const { data, error } = await client.query(operation(name), variables).toPromise();
  if (error) throw error;
  return data;
};

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
const before = requests.length;
await ask("Figures", { project });
const askedTwice = requests.length - before;
const name = (slug) =>
  client.mutation(operation("NameProject"), { slug, name: "Named by urql" }).toPromise();
const named = await name(project);
const refused = await name("x".repeat(201));
const { error } = await client.query(operation("Figures"), { project: unknown }).toPromise();

tell({
  ids,
  pages,
  total: page.totalCount,
  first: again.node,
  again: again.node,
  askedTwice,
  figures: figures.deploymentStats,
  named: named.data.upsertProject,
  userErrors: refused.data.upsertProject.userErrors,
  errorIsGraphQL: error.graphQLErrors.length > 0 && !error.networkError,
  codes: error.graphQLErrors.map((one) => one.extensions.code),
  listed,
  requests,
});
