// Times as the clocks of a zone show them, which is what fields for a time hold: `2026-12-24T06:00`.

/** The moment at which the clocks of a zone show a time; null if the text is none. */
export function instantOf(shown: string, zone: string): string | null {
  const wanted = Date.parse(`${shown}Z`);
  if (Number.isNaN(wanted)) return null;
  let at = wanted;
  // The offset of the first guess can be that of the other side of a change of the clocks.
  for (let turn = 0; turn < 2; turn++) at = wanted - offsetAt(at, zone);
  return new Date(at).toISOString();
}

/** What the clocks of a zone show at a moment, to the minute. */
export function shownAt(instant: string | number, zone: string): string {
  const at = new Date(instant).getTime();
  return new Date(at + offsetAt(at, zone)).toISOString().slice(0, 16);
}

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
function offsetAt(at: number, zone: string): number {
  const options = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
  const parts = new Intl.DateTimeFormat("en-GB", { ...options, hourCycle: "h23", timeZone: zone }).formatToParts(at);
  const part = (type: string) => Number(parts.find((one) => one.type === type)?.value ?? 0);
  const shown = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return shown - Math.floor(at / 1_000) * 1_000;
}
