// graphql-ws, over a WebSocket whose token comes with connection_init.
import { createClient } from "graphql-ws";
import { endpoint, headers, operation, tell } from "./common.mjs";
import { follow, project } from "./live.mjs";

const connect = (connectionParams) => createClient({
  url: endpoint.replace("http", "ws"),
  connectionParams,
  retryAttempts: 0,
});

const client = connect(headers);
const told = await follow(client, "graphql-ws");
await client.dispose();

const stranger = connect({ authorization: "Bearer nonsense" });
const refused = await stranger
  .iterate({ query: operation("Changes"), variables: { project } })
  .next()
  .then((result) => result, (thrown) => ({ code: thrown.code, reason: thrown.reason }));
await stranger.dispose();
tell({ ...told, refused: refused.code });
