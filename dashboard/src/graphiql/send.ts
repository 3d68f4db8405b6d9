// Sends an operation to the gateway, and reports what it cost, a refused token, or a gateway that is out of reach.
import { getOperationAST, parse } from "graphql";
import { type Client, createClient } from "graphql-ws/client";

import { accept } from "../shared/token";

export type Operation = {
  query: string;
  operationName?: string | null;
  variables?: Record<string, unknown> | null;
};
export type Options = { headers?: Record<string, string> };

type Cost = { estimate: number; limit: number; remaining?: number };
/** What an answer took; a subscription counts its messages. */
export type Measured = { ms: number; cost?: Cost | undefined; messages?: number };
export type Outcome = { kind: "answered" | "refused" | "unreachable"; reason: string; measured?: Measured };

type Answer = { errors?: { message?: string }[]; extensions?: { cost?: Cost } };
type Report = (outcome: Outcome) => void;

export type Send = (operation: Operation, options?: Options) => Promise<object> | AsyncGenerator<object>;

/** The gateway closes a WebSocket with it whose token it refuses. */
const REFUSED = 4403;
const INTROSPECTION = "IntrospectionQuery";

export function createSender(token: string | null, report: Report): Send {
  let client: Client | null = null;
  return (given, options) => {
    const operation = withoutOldName(given);
    if (!isSubscription(operation)) return answer(operation, token, headersFor(token, options?.headers), report);
    client ??= connect(token);
    return messages(client, operation, report);
  };
}

async function answer(operation: Operation, token: string | null, headers: Headers, report: Report): Promise<object> {
  const isOwn = operation.operationName === INTROSPECTION;
  const started = performance.now();
  try {
    const body = JSON.stringify(isOwn ? operation : { ...operation, extensions: { cost: true } });
    const response = await fetch("/graphql", { method: "POST", headers, body });
    // The headers editor may have named another token.
    if (response.ok && token !== null && headers.get("Authorization") === bearer(token)) accept(token);
    const { cost, shown } = withoutCost(await readAnswer(response));
    if (response.status === 401) report({ kind: "refused", reason: firstMessage(shown) });
    else report({ kind: "answered", reason: "", ...(isOwn ? {} : { measured: { ms: performance.now() - started, cost } }) });
    return shown;
  } catch (error) {
    return unreachable(error, report);
  }
}

/** The messages of a subscription, until GraphiQL ends it. */
async function* messages(client: Client, operation: Operation, report: Report): AsyncGenerator<object> {
  const started = performance.now();
  let count = 0;
  try {
    for await (const message of client.iterate(operation as never)) {
      count += 1;
      report({ kind: "answered", reason: "", measured: { ms: performance.now() - started, messages: count } });
      yield message;
    }
  } catch (error) {
    yield Array.isArray(error) ? { errors: error } : unreachable(error, report);
  }
}

function connect(token: string | null): Client {
  const address = new URL("/graphql", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return createClient({
    url: address.href,
    connectionParams: { authorization: token ?? "" },
    shouldRetry: (error) => !(error instanceof CloseEvent && error.code === REFUSED),
  });
}

function unreachable(error: unknown, report: Report): object {
  const reason = reasonOf(error);
  const kind = error instanceof CloseEvent && error.code === REFUSED ? "refused" : "unreachable";
  report({ kind, reason });
  return { errors: [{ message: reason }] };
}

function reasonOf(error: unknown): string {
  if (error instanceof CloseEvent) return error.reason || `The connection was closed with ${error.code}.`;
  return error instanceof Error ? error.message : String(error);
}

/** Whether the operation that runs is a subscription; one that cannot be read is sent for the gateway to refuse. */
function isSubscription({ query, operationName }: Operation): boolean {
  try {
    return getOperationAST(parse(query), operationName)?.operation === "subscription";
  } catch {
    return false;
  }
}

/** Removes a name that the document lacks: after a change of tabs GraphiQL sends the old one. */
function withoutOldName(operation: Operation): Operation {
  const name = operation.operationName ?? "";
  const declared = operation.query.matchAll(/\b(?:query|mutation|subscription)\s+(\w+)/g);
  const known = [...declared].some((match) => match[1] === name);
  return known ? operation : { ...operation, operationName: undefined };
}

/** The cost is asked for by this page and shown below the answer, not within it. */
function withoutCost(answer: Answer): { cost?: Cost | undefined; shown: Answer } {
  const { extensions, ...rest } = answer;
  if (extensions?.cost === undefined) return { shown: answer };
  const { cost, ...others } = extensions;
  return { cost, shown: Object.keys(others).length > 0 ? { ...rest, extensions: others } : rest };
}

function headersFor(token: string | null, entered: Record<string, string> = {}): Headers {
  const headers = new Headers(entered); // the headers editor takes precedence
  headers.set("Content-Type", "application/json");
  if (!headers.has("Accept")) {
    headers.set("Accept", "application/graphql-response+json, application/json;q=0.9");
  }
  if (token !== null && !headers.has("Authorization")) {
    headers.set("Authorization", bearer(token));
  }
  return headers;
}

function bearer(token: string): string {
  return `Bearer ${token}`;
}

async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw new Error(`The response (${response.status}) is not JSON.`);
  }
}

function firstMessage({ errors }: Answer): string {
  return errors?.[0]?.message ?? "no reason given";
}
