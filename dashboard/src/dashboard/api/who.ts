// Whose a token is that does not say so itself: service tokens are no JSON Web Tokens.
import { graphql } from "../../../generated/graphql";
import { ask } from "./ask";
import { sessions } from "./session";

const OWNER = graphql(`
  query Owner { viewer { subject roles projects(first: 2) { nodes { slug } } } }
`);

/** Completes the session with what the gateway knows of its token. */
export async function askWho(token: string): Promise<void> {
  const outcome = await ask(OWNER, {});
  const current = sessions.get();
  if (outcome.kind !== "answered" || !outcome.data || current.kind !== "signed in" || current.token !== token) return;
  const { subject, roles, projects } = outcome.data.viewer;
  sessions.set({ ...current, owner: { subject, roles: roles.map((role) => role.toLowerCase()), projects: (projects?.nodes ?? []).map(({ slug }) => slug) } });
}
