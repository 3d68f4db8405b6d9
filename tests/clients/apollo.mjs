// Apollo Client, with automatic persisted queries and the cache's own paging.
import { createHash } from "node:crypto";
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { relayStylePagination } from "@apollo/client/utilities";
import { filter, firstValueFrom } from "rxjs";
import { endpoint, headers, noted, operation, project, tell, unknown } from "./common.mjs";

const requests = [];
const sha256 = (text) => createHash("sha256").update(text).digest("hex");
const client = new ApolloClient({
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { deployments: relayStylePagination(["filter"]) } } },
  }),
  link: ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
    new HttpLink({ uri: endpoint, headers, fetch: noted(requests) }),
  ]),
});
const documents = Object.fromEntries(
  ["Deployments", "Figures", "Again", "NameProject"].map((name) => [name, gql(operation(name))]),
);

const list = client.watchQuery({ query: documents.Deployments, variables: { project, first: 100 } });
const subscription = list.subscribe({ error: () => {} });
await firstValueFrom(list.pipe(filter((result) => !result.loading)));
let pages = 1;
let { pageInfo } = list.getCurrentResult().data.deployments;
for (; pageInfo.hasNextPage && pages < 10; pages += 1) {
  const more = await list.fetchMore({ variables: { after: pageInfo.endCursor } });
  ({ pageInfo } = more.data.deployments);
}
// What the cache has made of the pages, for whoever asks for the first one.
const { deployments } = client.readQuery({ query: documents.Deployments, variables: { project, first: 100 } });
subscription.unsubscribe();

const listed = [...requests];
const first = deployments.edges[0].node;
const again = await client.query({
  query: documents.Again, variables: { id: first.id }, fetchPolicy: "network-only",
});
const figures = await client.query({ query: documents.Figures, variables: { project } });
const name = (slug) => client.mutate({
  mutation: documents.NameProject, variables: { slug, name: "Named by Apollo" },
});
const named = await name(project);
const refused = await name("x".repeat(201));
const error = await client
  .query({ query: documents.Figures, variables: { project: unknown } })
  .then(() => null, (thrown) => thrown);

tell({
  ids: deployments.edges.map((edge) => edge.node.id),
  pages,
  total: deployments.totalCount,
  first,
  again: again.data.node,
  figures: figures.data.deploymentStats,
  named: named.data.upsertProject,
  userErrors: refused.data.upsertProject.userErrors,
  errorIsGraphQL: CombinedGraphQLErrors.is(error),
  codes: (error.errors ?? []).map((one) => one.extensions.code),
  listed,
  requests,
});
