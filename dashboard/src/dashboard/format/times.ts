// Times in the reader's language and the page's zone.
const MINUTE = 60_000;
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

export function day(at: string | number, zone: string): string {
  return formatter(zone, { day: "numeric", month: "short" }).format(new Date(at));
}

export function clock(at: string | number, zone: string): string {
  return formatter(zone, { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

export function moment(at: string | number, zone: string): string {
  return formatter(zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** To the second, for lines that follow each other closely. */
export function stamp(at: string | number, zone: string): string {
  return formatter(zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(at));
}

/** To the second, with the zone. */
export function precise(at: string | number, zone: string): string {
  return formatter(zone, { dateStyle: "medium", timeStyle: "long" }).format(new Date(at));
}

/** The time of a bucket of a chart: its day, its hour, or from when to when. */
export function bucket(start: string, end: string, zone: string): string {
  const length = Date.parse(end) - Date.parse(start);
  if (length > 23 * 60 * MINUTE) return formatter(zone, { weekday: "short", day: "numeric", month: "short" }).format(new Date(start));
  return `${moment(start, zone)} – ${clock(end, zone)}`;
}

/** Such as `3 hr. ago`. */
export function ago(at: string, now = Date.now()): string {
  const minutes = (Date.parse(at) - now) / MINUTE;
  if (Math.abs(minutes) < 1) return relative.format(0, "minute");
  if (Math.abs(minutes) < 90) return relative.format(Math.round(minutes), "minute");
  if (Math.abs(minutes) < 36 * 60) return relative.format(Math.round(minutes / 60), "hour");
  return relative.format(Math.round(minutes / 1440), "day");
}
