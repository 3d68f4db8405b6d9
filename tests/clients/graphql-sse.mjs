// graphql-sse, with one event stream for each operation.
import { createClient } from "graphql-sse";
import { endpoint, headers, noted, operation, tell } from "./common.mjs";
import { follow, project } from "./live.mjs";

const streams = [];
const fetchFn = noted(streams);
const connect = (given) => createClient({ url: endpoint, headers: given, fetchFn, retryAttempts: 0 });

const client = connect(headers);
const told = await follow(client, "graphql-sse");
client.dispose();

const stranger = connect({ authorization: "Bearer nonsense" });
const refused = await stranger
  .iterate({ query: operation("Changes"), variables: { project } })
  .next()
  .then((result) => result, (thrown) => ({ code: thrown.response?.status ?? String(thrown) }));
stranger.dispose();
tell({ ...told, refused: refused.code, streams });
