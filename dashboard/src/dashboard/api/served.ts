// Which parts the gateway serves: its page says so.
export type Part = "dashboard" | "graphiql";

const SERVED = document.querySelector<HTMLMetaElement>('meta[name="served"]')?.content.split(" ") ?? [];

export function isServed(part: Part): boolean {
  return SERVED.includes(part);
}
