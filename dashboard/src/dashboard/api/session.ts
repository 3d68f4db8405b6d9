// Who is signed in: a token of the address or of this tab, else one that a demo hands out.
import * as tokens from "./token";
import { Store } from "./store";

export type Session =
  | { kind: "starting" }
  | { kind: "signed in"; token: string; owner: tokens.Owner | null; isDemo: boolean; isNew: boolean }
  | { kind: "signed out"; reason: string | null };

export const sessions = new Store<Session>({ kind: "starting" });

export const session = {
  token(): string | null {
    const current = sessions.get();
    return current.kind === "signed in" ? current.token : null;
  },

  /** Signs in with the token at hand; without one by a demo on this machine or another tab, unless this tab has signed out. */
  async start(): Promise<void> {
    tokens.takeFromAddress();
    if (tokens.hasSignedOut()) return session.end();
    if (tokens.read() === null) {
      if (session.token() !== null) sessions.set({ kind: "starting" }); // forgotten by another page of this tab
      await startDemo(null);
    }
    if (sessions.get().kind === "signed out") await tokens.borrow();
    const kept = tokens.read();
    if (kept !== null && session.token() !== kept) sessions.set(signedIn(kept, false));
  },

  use(token: string): void {
    tokens.keep(token);
    const kept = tokens.read();
    if (kept !== null) sessions.set(signedIn(kept, false));
  },

  /** Signs out in every tab of this browser. */
  leave(): void {
    tokens.signOut();
    session.end();
  },

  /** Asks for a token, since the one there was is forgotten. */
  end(): void {
    sessions.set({ kind: "signed out", reason: null });
  },

  /** The gateway refused the token: instead of one of an earlier demo it gives another; else the reader must. */
  refuse(reason: string): void {
    const current = sessions.get();
    if (current.kind !== "signed in") return;
    tokens.forget();
    sessions.set({ kind: "signed out", reason });
    if (current.isDemo && !current.isNew) void startDemo(reason);
  },
};

const DEMO_SUBJECT = "demo-admin";

function signedIn(token: string, isNew: boolean): Session {
  const owner = tokens.owner(token);
  return { kind: "signed in", token, owner, isDemo: owner?.subject === DEMO_SUBJECT, isNew };
}

async function startDemo(reason: string | null): Promise<void> {
  const token = await demoToken();
  // Meanwhile one may have been pasted, or another tab may have signed out.
  if (tokens.read() !== null || tokens.hasSignedOut()) return;
  if (token === null) sessions.set({ kind: "signed out", reason });
  else {
    tokens.keep(token);
    sessions.set(signedIn(token, true));
  }
}

async function demoToken(): Promise<string | null> {
  try {
    const response = await fetch("/demo-token");
    return ((await response.json()) as { token: string | null }).token;
  } catch {
    return null;
  }
}
