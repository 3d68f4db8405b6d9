// Takes the access token from the address, stores it for this tab, and reads its owner from it.

const STORAGE_KEY = "gateway-token";

export type Owner = { subject: string; roles: string[] };

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

/** The owner that the token names, for display only: nothing is verified here. */
export function owner(token: string): Owner | null {
  try {
    const claims = JSON.parse(decodePart(token.split(".")[1] ?? "")) as Record<string, unknown>;
    const roles = Array.isArray(claims.roles) ? claims.roles.map(String) : [];
    return typeof claims.sub === "string" ? { subject: claims.sub, roles } : null;
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
