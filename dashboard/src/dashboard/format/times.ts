// Times in the reader's language and the page's zone.
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "short" });

function formatter(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  let made = formatters.get(key);
  if (made === undefined) {
    try {
      made = new Intl.DateTimeFormat(undefined, { ...options, timeZone: zone });
    } catch {
      made = new Intl.DateTimeFormat(undefined, { ...options, timeZone: "UTC" }); // no such zone
    }
    formatters.set(key, made);
  }
  return made;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** The parts of a day that the text of a time has: the year too, unless it is this one. */
function dayOf(at: string | number, zone: string): Intl.DateTimeFormatOptions {
  const isThisYear = yearOf(at, zone) === yearOf(Date.now(), zone);
  return { day: "numeric", month: "short", ...(isThisYear ? {} : { year: "numeric" }) };
}

export function yearOf(at: string | number, zone: string): string {
  return formatter(zone, { year: "numeric" }).format(new Date(at));
}

/** A day without its year. */
export function day(at: string | number, zone: string): string {
  return formatter(zone, { day: "numeric", month: "short" }).format(new Date(at));
}

/** A day with its year, or without the day of the month: `Jun 2025`. */
export function dated(at: string | number, zone: string, isMonth: boolean): string {
  return formatter(zone, { month: "short", year: "numeric", ...(isMonth ? {} : { day: "numeric" }) }).format(new Date(at));
}

export function clock(at: string | number, zone: string): string {
  return formatter(zone, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

export function moment(at: string | number, zone: string): string {
  return formatter(zone, { ...dayOf(at, zone), hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** To the second, for lines that follow each other closely. */
export function stamp(at: string | number, zone: string): string {
  return formatter(zone, { ...dayOf(at, zone), hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));
}

/** To the second, with the zone. */
export function precise(at: string | number, zone: string): string {
  return formatter(zone, { dateStyle: "medium", timeStyle: "long" }).format(new Date(at));
}

/** The time of a bucket of a chart: its month, the day it starts on, or from when to when. */
export function bucket(start: string, end: string, zone: string): string {
  const length = Date.parse(end) - Date.parse(start);
  if (length > 27 * DAY) return dated(start, zone, true);
  if (length > 23 * 60 * MINUTE) return formatter(zone, { weekday: "short", ...dayOf(start, zone) }).format(new Date(start));
  return `${moment(start, zone)} – ${clock(end, zone)}`;
}

/** Such as `3 hr. ago`. */
export function ago(at: string, now = Date.now()): string {
  const minutes = (Date.parse(at) - now) / MINUTE;
  if (Math.abs(minutes) < 1) return relative.format(0, "minute");
  if (Math.abs(minutes) < 90) return relative.format(Math.round(minutes), "minute");
  if (Math.abs(minutes) < 36 * 60) return relative.format(Math.round(minutes / 60), "hour");
  const days = Math.round(minutes / 1_440);
  if (Math.abs(days) < 60) return relative.format(days, "day");
  if (Math.abs(days) < 730) return relative.format(Math.round(days / 30.44), "month");
  return relative.format(Math.round(days / 365.25), "year");
}
