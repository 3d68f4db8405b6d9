// The range of a page: a named one, whole days or exact times, as the address writes them.
import type { Interval, TimeRange } from "../../../generated/graphql";
import { instantOf } from "./zones";

export const RANGES = [
  { name: "1h", label: "1 hour", duration: "PT1H", hours: 1 },
  { name: "24h", label: "24 hours", duration: "P1D", hours: 24 },
  { name: "7d", label: "7 days", duration: "P7D", hours: 168 },
  { name: "30d", label: "30 days", duration: "P30D", hours: 720 },
  { name: "90d", label: "90 days", duration: "P90D", hours: 2160 },
] as const;

export const USUAL_RANGE = RANGES[2].name;

/** A range of the reader's own: days, and times if it is not of whole days. */
export type Custom = { from: string; fromTime: string; to: string; toTime: string };

/** `daily`: days as the interval of a series, unless the range has too many of them. */
export type Span = { range: TimeRange; rangeName: string; custom: Custom | null; daily: Interval };

/** Why a text is no range, as a sentence. */
export class NoRange extends Error {}

/** The longest range of one's own. */
export const MOST_YEARS = 20;
/** The most days of a calendar range, and of a series by day. */
const MOST_OF_CALENDAR = 400;
const DAY_MS = 86_400_000;
const CUSTOM = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d))?\.\.(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d))?$/;

/**
 * The span that an address names: `7d`, whole days as `2026-11-01..2026-11-07`, or times of the
 * zone's clocks as `2026-11-01T09:00..2026-11-01T17:30`. Raises NoRange for anything else.
 */
export function spanOf(name: string, zone: string): Span {
  const named = RANGES.find((one) => one.name === name);
  if (named) return { range: { last: named.duration }, rangeName: name, custom: null, daily: "DAY" };
  const match = CUSTOM.exec(name);
  if (match === null) throw new NoRange(`“${name}” is no range. One looks like 7d or 2026-11-01..2026-11-07.`);
  const [, from = "", fromTime = "", to = "", toTime = ""] = match;
  return customSpan({ from, fromTime, to, toTime }, zone);
}

/** The span of days and times as somebody typed them. Raises NoRange with what is wrong. */
export function customSpan(custom: Custom, zone: string): Span {
  const { from, fromTime, to, toTime } = custom;
  if (from === "" || to === "") throw new NoRange("A range needs a first and a last day.");
  for (const day of [from, to]) {
    if (!isDay(day)) throw new NoRange(`There is no day ${day}.`);
  }
  const days = Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
  if (days < 1) throw new NoRange("The range ends before it starts.");
  if (days > MOST_YEARS * 366) throw new NoRange(`A range has at most ${MOST_YEARS} years.`);
  if (fromTime === "" && toTime === "" && days <= MOST_OF_CALENDAR) {
    const range = { calendar: { unit: "DAY" as const, date: to, count: days } };
    return { range, rangeName: `${from}..${to}`, custom, daily: "DAY" };
  }
  const { start, end } = instantsOf(custom, zone);
  if (end <= start) throw new NoRange("The range ends before it starts.");
  return {
    range: { between: { start: start.toISOString(), end: end.toISOString() } },
    rangeName: `${textOf(from, fromTime)}..${textOf(to, toTime)}`,
    custom,
    daily: days < MOST_OF_CALENDAR ? "DAY" : "AUTO",
  };
}

/** The instants at which a span starts and ends; a named one ends now. */
export function endsOf({ custom, rangeName, zone }: Span & { zone: string }): { start: string; end: string } {
  const hours = RANGES.find(({ name }) => name === rangeName)?.hours ?? 0;
  const { start, end } = custom ? instantsOf(custom, zone) : { start: new Date(Date.now() - hours * 3_600_000), end: new Date() };
  return { start: start.toISOString(), end: end.toISOString() };
}

function instantsOf({ from, fromTime, to, toTime }: Custom, zone: string): { start: Date; end: Date } {
  return {
    start: instantIn(`${from}T${fromTime || "00:00"}`, zone),
    end: instantIn(toTime === "" ? `${dayAfter(to)}T00:00` : `${to}T${toTime}`, zone),
  };
}

/** A range of one's own, in the reader's language; without the year if it is this one. */
export function customText({ from, fromTime, to, toTime }: Custom): string {
  const isThisYear = [from, to].every((one) => one.startsWith(String(new Date().getFullYear())));
  const day = { day: "numeric", month: "short", timeZone: "UTC", ...(isThisYear ? {} : { year: "numeric" as const }) } as const;
  const isTimed = fromTime !== "" || toTime !== "";
  const format = new Intl.DateTimeFormat(undefined, isTimed ? { ...day, hour: "2-digit", minute: "2-digit" } : day);
  const end = isTimed && toTime === "" ? `${dayAfter(to)}T00:00Z` : `${to}T${toTime || "00:00"}Z`;
  return format.formatRange(Date.parse(`${from}T${fromTime || "00:00"}Z`), Date.parse(end));
}

function instantIn(local: string, zone: string): Date {
  const instant = instantOf(local, zone);
  if (instant === null) throw new NoRange(`${local.replace("T", " ")} does not exist in ${zone}: its clocks skip that time.`);
  return instant;
}

function textOf(day: string, time: string): string {
  return time === "" ? day : `${day}T${time}`;
}

function isDay(text: string): boolean {
  const time = Date.parse(`${text}T00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function dayAfter(day: string): string {
  return new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);
}
