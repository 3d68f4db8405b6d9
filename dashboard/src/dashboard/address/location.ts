// The address bar: what is shown is what it says.
import { Store, useStore } from "../api/store";

export type Address = { path: string; query: URLSearchParams };

const address = new Store<Address>(current());

addEventListener("popstate", () => address.set(current()));

function current(): Address {
  return { path: location.pathname, query: new URLSearchParams(location.search) };
}

export function useAddress(): Address {
  return useStore(address);
}

/** Shows an address; the focus moves to the contents of another page, and stays within the same. */
export function go(href: string, { replace = false } = {}): void {
  const before = location.pathname;
  if (replace) history.replaceState(null, "", href);
  else history.pushState(null, "", href);
  address.set(current());
  if (!replace && location.pathname !== before) document.getElementById("main")?.focus({ preventScroll: true });
}

type Found<Name extends string> = Partial<Record<Name, string>>;

/** The parameters of these names that the fragment has, such as `#token=…`. */
export function inFragment<Name extends string>(...names: Name[]): Found<Name> {
  const parameters = [...new URLSearchParams(location.hash.slice(1))];
  return Object.fromEntries(parameters.filter(([name]) => names.some((other) => other === name))) as Found<Name>;
}

/**
 * Takes parameters out of the fragment, and returns those that are there. Browsers send the
 * fragment to no server; the address that had them is not in the history either.
 */
export function takeFromFragment<Name extends string>(...names: Name[]): Found<Name> {
  const taken = inFragment(...names);
  if (Object.keys(taken).length === 0) return taken;
  const parameters = new URLSearchParams(location.hash.slice(1));
  for (const name of names) parameters.delete(name);
  const rest = parameters.size > 0 ? `#${parameters}` : "";
  history.replaceState(null, "", location.pathname + location.search + rest);
  return taken;
}

/** A path with a query; colons, slashes and commas stay as they are, so that a link can be read. */
export function hrefOf(path: string, query: URLSearchParams): string {
  const text = query.toString().replaceAll("%2F", "/").replaceAll("%3A", ":").replaceAll("%2C", ",");
  return text === "" ? path : `${path}?${text}`;
}
