// Takes the access token from the address, stores it for this tab, and reads its owner from it.

const STORAGE_KEY = "gateway-token";

export type Owner = { subject: string; roles: string[]; projects: string[] };

/**
 * Moves a token from `#token=…` in the address bar into this tab's storage.
 * Browsers send the fragment to no server; the replaced address is not in the history either.
 */
export function takeFromAddress(): void {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  keep(token);
  history.replaceState(null, "", location.pathname + location.search);
}

export function read(): string | null {
  return sessionStorage.getItem(STORAGE_KEY);
}

export function keep(token: string): void {
  sessionStorage.setItem(STORAGE_KEY, clean(token));
}

export function forget(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}

const tabs = new BroadcastChannel(STORAGE_KEY);
const QUESTION = "who is signed in?";
const LONGEST_WAIT_MS = 150;

/** Gives this tab's token to others of this browser that ask; until the returned function is called. */
export function lend(): () => void {
  const answer = ({ data }: MessageEvent) => {
    const token = read();
    if (data === QUESTION && token !== null) tabs.postMessage({ token });
  };
  tabs.addEventListener("message", answer);
  return () => tabs.removeEventListener("message", answer);
}

/** Takes the token of another tab that is signed in, if this one is not; returns once one has answered, or none will. */
export async function borrow(): Promise<void> {
  if (read() !== null) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      tabs.removeEventListener("message", take);
      resolve();
    };
    const take = ({ data }: MessageEvent) => {
      if (typeof data?.token !== "string") return;
      keep(data.token);
      end();
    };
    tabs.addEventListener("message", take);
    setTimeout(end, LONGEST_WAIT_MS);
    tabs.postMessage(QUESTION);
  });
}

/** The owner that the token names, for display only: nothing is verified here. */
export function owner(token: string): Owner | null {
  try {
    const claims = JSON.parse(decodePart(token.split(".")[1] ?? "")) as Record<string, unknown>;
    const [roles, projects] = [claims.roles, claims.projects].map((claim) => (Array.isArray(claim) ? claim.map(String) : []));
    return typeof claims.sub === "string" ? { subject: claims.sub, roles: roles ?? [], projects: projects ?? [] } : null;
  } catch {
    return null;
  }
}

/** Extracts the token from a pasted link or header line. */
function clean(text: string): string {
  const withoutLink = text.trim().replace(/^.*#token=/, "");
  return withoutLink.replace(/^(authorization:\s*)?bearer\s+/i, "");
}

function decodePart(part: string): string {
  const bytes = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
