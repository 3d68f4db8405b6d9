// Mutations: who is offered them, and how one ends.
import { useState } from "react";

import type { Text } from "../../../generated/graphql";
import { ask } from "../api/ask";
import { sessions } from "../api/session";
import { useStore } from "../api/store";

const DECIDING = ["maintainer", "admin"];
const RECORDING = ["ingest", "admin"];

/** Whether the reader's role may decide about errors and alerts. */
export function useMayDecide(): boolean {
  return useRoles().some((role) => DECIDING.includes(role));
}

/** Whether the reader's role may record events and upload files. */
export function useMayRecord(): boolean {
  return useRoles().some((role) => RECORDING.includes(role));
}

/** Whether the reader may decide about what belongs to the platform. */
export function useIsAdmin(): boolean {
  return useRoles().includes("admin");
}

/** Whether the reader may change an alert, a channel or a silence: what is the platform's needs an admin. */
export function useMayChange(): (one: { project: object | null }) => boolean {
  const [mayDecide, isAdmin] = [useMayDecide(), useIsAdmin()];
  return ({ project }) => mayDecide && (project !== null || isAdmin);
}

/** The reader's roles, in lower case. */
export function useRoles(): string[] {
  const session = useStore(sessions);
  return session.kind === "signed in" ? (session.owner?.roles ?? []) : [];
}

/** Every mutation names its payload `done`. */
export type Done = { done: { userErrors: { message: string }[] } };

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
    const userErrors = data?.done.userErrors.map(({ message }) => message).join(" ");
    const refused = isAnswered ? (outcome.problems[0]?.message ?? userErrors) : outcome.reason;
    setFault(refused || null);
    onDone();
    return refused ? null : data;
  };
  return { run, isBusy, fault };
}
