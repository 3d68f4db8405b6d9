// Subscriptions over one WebSocket, which connects again by itself.
import { type Client, createClient, type ExecutionResult, type Sink, type SubscribePayload } from "graphql-ws/client";

import { graphql, type Text } from "../../../generated/graphql";
import { ask } from "./ask";
import { session } from "./session";
import { Store } from "./store";

/** Whether changes arrive: "idle" before the first subscription. */
type Connection = "idle" | "live" | "lost";

export const connection = new Store<Connection>("idle");

const WHO = graphql(`
  query Who { viewer { subject } }
`);
const REFUSED = 4403;
const LONGEST_WAIT_MS = 5_000;

let client: Client | null = null;

/** Follows a subscription until the returned function is called; messages of errors are left out. */
export function follow<Data, Variables>(
  text: Text<Data, Variables>,
  variables: Variables,
  onData: (data: Data) => void,
): () => void {
  return subscribe<Data>(
    { query: text, variables: variables as Record<string, unknown> },
    {
      next: ({ data }) => {
        if (data) onData(data);
      },
      error: () => undefined, // the page's own request tells what is wrong with it
      complete: () => undefined,
    },
  );
}

/** Gives a subscription's messages and errors to the sink until the returned function is called. */
export function subscribe<Data>(operation: SubscribePayload, sink: Sink<ExecutionResult<Data>>): () => void {
  client ??= connect();
  return client.subscribe<Data>(operation, sink);
}

/** Closes the connection, so that the next subscription uses the token of then. */
export function disconnect(): void {
  void client?.dispose();
  client = null;
  connection.set("idle");
}

function connect(): Client {
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return createClient({
    url: address.href,
    connectionParams: () => ({ authorization: session.token() ?? "" }),
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: async (retries) => {
      const wait = Math.min(LONGEST_WAIT_MS, 250 * 2 ** Math.min(retries, 5));
      await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
    },
    on: {
      connected: () => connection.set("live"),
      closed: (event) => {
        const code = event instanceof CloseEvent ? event.code : 0;
        if (code === REFUSED) void ask(WHO, {}); // which is told why, and signs out
        if (code !== 1000) connection.set("lost");
      },
    },
  });
}
