// Several names in one parameter of the address.

/** The names that a text lists: `metis,hyperion`, or a JSON list where a name has commas itself. */
export function namesOf(text: string): string[] {
  return (jsonOf(text) ?? text.split(",")).filter(Boolean);
}

/** The text that lists these names. */
export function textOf(names: string[]): string {
  const text = names.join(",");
  const list = JSON.stringify(names);
  return JSON.stringify(namesOf(text)) === list ? text : list;
}

function jsonOf(text: string): string[] | null {
  if (!text.startsWith("[")) return null; // as hardly any name does
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((name) => typeof name === "string") ? list : null;
  } catch {
    return null;
  }
}
