// One request to the gateway: every way it can fail becomes one of a few outcomes.
import type { Text } from "../../../generated/graphql";
import { session } from "./session";
import { accept } from "./token";

export type Problem = { message: string; path?: (string | number)[]; code?: string };

export type Outcome<Data> =
  | { kind: "answered"; data: Data | null; problems: Problem[] }
  | { kind: "unreachable"; reason: string };

export type Answer<Data> = {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string } }[];
  extensions?: Record<string, unknown>;
};

/** An operation with the texts of the fragments that it spreads. */
export function withFragments<Data, Variables>(text: Text<Data, Variables>, ...fragments: string[]): Text<Data, Variables> {
  return [text, ...fragments].join("") as Text<Data, Variables>;
}

const UNAVAILABLE = new Set([502, 503, 504]);

/** Asks a query or a mutation; a refused token signs out, and is told as unreachable. */
export async function ask<Data, Variables>(
  text: Text<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Outcome<Data>> {
  try {
    const { status, answer } = await post<Data>({ query: text, variables }, {}, signal);
    const problems = (answer.errors ?? []).map(({ message, path, extensions }) => ({
      message,
      ...(path ? { path } : {}),
      ...(extensions?.code ? { code: extensions.code } : {}),
    }));
    if (status === 401) return { kind: "unreachable", reason: "The token was refused." };
    if (UNAVAILABLE.has(status)) {
      return { kind: "unreachable", reason: problems[0]?.message ?? "It cannot answer just now." };
    }
    return { kind: "answered", data: answer.data ?? null, problems };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { kind: "unreachable", reason: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Sends an operation with the token at hand, and returns the answer as it is. A refused token signs
 * out. Headers of the sender's own take precedence; one that names another token leaves the session.
 */
export async function post<Data>(
  operation: object,
  own: Record<string, string> = {},
  signal?: AbortSignal,
): Promise<{ status: number; answer: Answer<Data> }> {
  const token = session.token();
  const bearer = `Bearer ${token}`;
  const headers = new Headers({ accept: "application/graphql-response+json, application/json;q=0.9" });
  if (token !== null) headers.set("authorization", bearer);
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  headers.set("content-type", "application/json");
  const request = { method: "POST", headers, body: JSON.stringify(operation), ...(signal ? { signal } : {}) };
  const response = await fetch("/graphql", request);
  const isOfSession = token !== null && headers.get("authorization") === bearer;
  if (response.ok && isOfSession) accept(token);
  const answer = await readAnswer<Data>(response);
  if (response.status === 401 && isOfSession) session.refuse(answer.errors?.[0]?.message ?? "no reason given");
  return { status: response.status, answer };
}

async function readAnswer<Data>(response: Response): Promise<Answer<Data>> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer<Data>;
  } catch {
    throw new Error(`The response (${response.status}) is not JSON.`);
  }
}
