// One request to the gateway: every way it can fail becomes one of a few outcomes.
import type { Text } from "../../../generated/graphql";
import { accept } from "../../shared/token";
import { session } from "./session";

export type Problem = { message: string; path?: (string | number)[]; code?: string };

export type Outcome<Data> =
  | { kind: "answered"; data: Data | null; problems: Problem[] }
  | { kind: "unreachable"; reason: string };

type Answer<Data> = {
  data?: Data | null;
  errors?: { message: string; path?: (string | number)[]; extensions?: { code?: string } }[];
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
  const token = session.token();
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json, application/json;q=0.9",
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: text, variables }),
      ...(signal ? { signal } : {}),
    });
    if (response.ok && token !== null) accept(token);
    const answer = await readAnswer<Data>(response);
    const problems = (answer.errors ?? []).map(({ message, path, extensions }) => ({
      message,
      ...(path ? { path } : {}),
      ...(extensions?.code ? { code: extensions.code } : {}),
    }));
    if (response.status === 401) {
      session.refuse(problems[0]?.message ?? "no reason given");
      return { kind: "unreachable", reason: "The token was refused." };
    }
    if (UNAVAILABLE.has(response.status)) {
      return { kind: "unreachable", reason: problems[0]?.message ?? "It cannot answer just now." };
    }
    return { kind: "answered", data: answer.data ?? null, problems };
  } catch (error) {
    if (signal?.aborted) throw error;
    return { kind: "unreachable", reason: error instanceof Error ? error.message : String(error) };
  }
}

async function readAnswer<Data>(response: Response): Promise<Answer<Data>> {
  const text = await response.text();
  try {
    return JSON.parse(text) as Answer<Data>;
  } catch {
    throw new Error(`The response (${response.status}) is not JSON.`);
  }
}
