// Values of measures, by their units.
import type { Unit } from "../../../generated/graphql";
import { ticksOfTime, ticksTo } from "../charts/scale";
import { count, duration, type Format, percent, rate } from "./numbers";

const per = (unit: string): Format => (value) => (value == null ? rate(value) : `${rate(value)} ${unit}`);

const FORMATS: Record<Unit, Format> = {
  COUNT: count,
  FRACTION: percent,
  MILLISECONDS: duration,
  DAYS: per("days"),
  PER_WEEK: per("a week"),
  PER_DAY: per("a day"),
  PER_HOUR: per("an hour"),
  PER_MINUTE: per("a minute"),
  PER_SECOND: per("a second"),
  OF_METRIC: rate,
};

export const formatOf = (unit: Unit): Format => FORMATS[unit];

export const ticksOf = (unit: Unit): ((largest: number) => number[]) => (unit === "MILLISECONDS" ? ticksOfTime : ticksTo);

const TEXTS: Record<Unit, string> = {
  COUNT: "number",
  FRACTION: "percent",
  MILLISECONDS: "duration",
  DAYS: "days",
  PER_WEEK: "per week",
  PER_DAY: "per day",
  PER_HOUR: "per hour",
  PER_MINUTE: "per minute",
  PER_SECOND: "per second",
  OF_METRIC: "that of the metric",
};

export const unitText = (unit: Unit): string => TEXTS[unit];
