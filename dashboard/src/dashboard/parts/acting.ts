// Mutations: who is offered them, and how one ends.
import { useState } from "react";

import type { Text } from "../../../generated/graphql";
import { ask } from "../api/ask";
import { sessions } from "../api/session";
import { useStore } from "../api/store";

const DECIDING = ["maintainer", "admin"];

/** Whether the reader's role may decide about errors and alerts. */
export function useMayDecide(): boolean {
  const session = useStore(sessions);
  const roles = session.kind === "signed in" ? (session.owner?.roles ?? []) : [];
  return roles.some((role) => DECIDING.includes(role));
}

/** Every mutation names its payload `done`. */
type Done = { done: { userErrors: { message: string }[] } };

/** Runs mutations one at a time; `fault` says what the last one was refused for. */
export function useMutation(onDone: () => void) {
  const [isBusy, setIsBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const run = async <Data extends Done, Variables>(text: Text<Data, Variables>, variables: Variables): Promise<Data | null> => {
    setIsBusy(true);
    const outcome = await ask(text, variables);
    setIsBusy(false);
    const isAnswered = outcome.kind === "answered";
    const data = isAnswered ? outcome.data : null;
    const refused = isAnswered ? (outcome.problems[0]?.message ?? data?.done.userErrors[0]?.message) : outcome.reason;
    setFault(refused ?? null);
    onDone();
    return refused === undefined ? data : null;
  };
  return { run, isBusy, fault };
}
