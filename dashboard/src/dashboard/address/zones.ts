// Time zones: which names there are, and which instant a clock of a zone shows a time at.

/** The zone of the reader's browser. */
export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}

/** Whether a name is one of the IANA database, such as `Europe/Berlin`. */
export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat(undefined, { timeZone: name });
    return /^[A-Za-z]/.test(name); // an offset such as +02:00 is none that the gateway knows
  } catch {
    return false;
  }
}

/** All names that this browser lists. */
export function zoneNames(): string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone").filter((name) => name !== "UTC")];
}

/** The instant of a local time such as `2026-11-01T09:30`; null if the zone's clocks skip it. */
export function instantOf(local: string, zone: string): Date | null {
  const instant = instantNear(local, zone);
  return localOf(instant, zone) === local ? instant : null;
}

/** The same; of a time that the zone's clocks skip, the instant at which they would have shown it. */
export function instantNear(local: string, zone: string): Date {
  const shown = Date.parse(`${local}Z`);
  // The offset of the first guess can be that of the other side of a change of the clocks.
  const guess = shown - offsetOf(shown, zone);
  return new Date(shown - offsetOf(guess, zone));
}

/** The local time of an instant, as `2026-11-01T09:30`. */
export function localOf(instant: Date, zone: string): string {
  return new Date(instant.getTime() + offsetOf(instant.getTime(), zone)).toISOString().slice(0, 16);
}

/** How far the zone's clocks are ahead of UTC at an instant, in milliseconds. */
function offsetOf(instant: number, zone: string): number {
  const fields = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit" } as const;
  const parts = new Intl.DateTimeFormat("en-US", { ...fields, timeZone: zone, hourCycle: "h23" }).formatToParts(instant);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return shown - Math.floor(instant / 1_000) * 1_000;
}
