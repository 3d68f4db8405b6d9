// Takes the access token from the address, stores it for this tab, and reads its owner from it.
import { takeFromFragment } from "../address/location";

const STORAGE_KEY = "gateway-token";
const SIGNED_OUT_KEY = "gateway-signed-out";
/** In the browser's storage the mark of the last sign-out; in a tab's the one there was when its token was stored. */
const ERA_KEY = "gateway-era";

export type Owner = { subject: string; roles: string[]; projects: string[] };

/** Moves a token from `#token=…` in the address bar into this tab's storage. */
export function takeFromAddress(): void {
  const { token } = takeFromFragment("token");
  if (token !== undefined) keep(token);
}

/** This tab's token. One from before the last sign-out is forgotten, since a tab does not hear of it while it shows another site. */
export function read(): string | null {
  const token = sessionStorage.getItem(STORAGE_KEY);
  if (token !== null && era(sessionStorage) !== era(localStorage)) {
    signOutHere();
    return null;
  }
  return token;
}

function era(storage: Storage): string {
  return storage.getItem(ERA_KEY) ?? "";
}

export function keep(token: string): void {
  sessionStorage.setItem(STORAGE_KEY, clean(token));
  sessionStorage.setItem(ERA_KEY, era(localStorage));
  sessionStorage.removeItem(SIGNED_OUT_KEY);
}

export function forget(): void {
  sessionStorage.removeItem(STORAGE_KEY);
}

/** Whether this tab was signed out and got no token since: then it takes none by itself. */
export function hasSignedOut(): boolean {
  return read() === null && sessionStorage.getItem(SIGNED_OUT_KEY) !== null;
}

/** Forgets the token in every tab of this browser. */
export function signOut(): void {
  signOutHere();
  localStorage.setItem(ERA_KEY, `${Date.now()} ${Math.random()}`);
  tabs.postMessage(SIGNED_OUT);
}

function signOutHere(): void {
  forget();
  sessionStorage.setItem(SIGNED_OUT_KEY, "yes");
}

let accepted: string | null = null;

/** Notes that the gateway has answered to this token: only then is it lent. */
export function accept(token: string): void {
  accepted = token;
}

const tabs = new BroadcastChannel(STORAGE_KEY);
const QUESTION = "who is signed in?";
const SIGNED_OUT = "signed out";
const LONGEST_WAIT_MS = 150;

/** Lends this tab's token to others that ask, and signs out with them; until the returned function is called. */
export function lend(onSignedOut: () => void): () => void {
  const answer = ({ data }: MessageEvent) => {
    const token = read();
    if (data === QUESTION && token !== null && token === accepted) tabs.postMessage({ token });
    if (data !== SIGNED_OUT) return;
    signOutHere();
    onSignedOut();
  };
  tabs.addEventListener("message", answer);
  return () => tabs.removeEventListener("message", answer);
}

/** Calls back when the browser shows this page again as it was left: the tab may have been signed out since. */
export function onReturn(check: () => void): () => void {
  const show = (event: PageTransitionEvent) => {
    if (event.persisted) check();
  };
  addEventListener("pageshow", show);
  return () => removeEventListener("pageshow", show);
}

/** Takes the token of another tab that is signed in, if this one may; returns once one has answered, or none will. */
export async function borrow(): Promise<void> {
  if (!mayBorrow()) return;
  await new Promise<void>((resolve) => {
    const end = () => {
      tabs.removeEventListener("message", take);
      resolve();
    };
    const take = ({ data }: MessageEvent) => {
      if (typeof data?.token !== "string") return;
      if (mayBorrow()) keep(data.token);
      end();
    };
    tabs.addEventListener("message", take);
    setTimeout(end, LONGEST_WAIT_MS);
    tabs.postMessage(QUESTION);
  });
}

/** A token that is there, such as one that was pasted meanwhile, is never replaced. */
function mayBorrow(): boolean {
  return read() === null && !hasSignedOut();
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
