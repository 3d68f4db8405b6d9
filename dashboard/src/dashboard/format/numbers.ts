// Numbers and durations in the reader's language: short ones to read, exact ones to point at.
const whole = new Intl.NumberFormat();
const short = new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 3 });
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const rounded = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0, signDisplay: "never" });
const decimals = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, signDisplay: "never" });

/** What stands where there is no value. */
export const NOTHING = "–";

export type Format = (value: number | null | undefined) => string;

const orNothing =
  (format: (value: number) => string): Format =>
  (value) =>
    value === null || value === undefined || !Number.isFinite(value) ? NOTHING : format(value);

export const exact = orNothing((value) => whole.format(value));
/** To the millisecond. */
export const exactDuration = orNothing((value) => unitText(value, "millisecond"));
export const count = orNothing((value) => (Math.abs(value) < 10_000 ? whole : short).format(value));
const figures = new Intl.NumberFormat(undefined, { notation: "compact", maximumSignificantDigits: 3 });
/** Any number, to three digits. */
export const rate = orNothing((value) => figures.format(value));
export const percent = orNothing((value) => percents.format(value));
/** The size of a change, without its sign; beyond a thousand percent how many times as much there is. */
export const change = orNothing((value) => (value < 10 ? rounded.format(value) : `${figures.format(1 + value)}×`));
/** The change from a value before to one now, with its sign. */
export function changeText(now: number | null | undefined, before: number | null | undefined): string {
  if (now == null || !before) return NOTHING;
  const by = (now - before) / before;
  const sign = Math.abs(by) < 0.005 ? "" : by < 0 ? "−" : "+";
  return `${sign}${change(by)}`;
}
/** The size of a change of a percentage, in percentage points. */
export const points = orNothing((value) => decimals.format(value));
export const duration = orNothing(durationText);

/** A size in bytes, to three digits, in units of 1,000. */
export const size = orNothing((value) => {
  const [unit, bytes] = SIZES.find(([, least]) => value >= least) ?? ["byte", 1];
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "short", maximumSignificantDigits: 3 }).format(value / bytes);
});
const SIZES = [
  ["megabyte", 1_000_000],
  ["kilobyte", 1_000],
] as const;

/** `1 project`, `2 projects`. */
export function counted(value: number, one: string): string {
  return `${count(value)} ${value === 1 ? one : `${one}s`}`;
}

const UNITS = [
  { unit: "day", ms: 86_400_000 },
  { unit: "hour", ms: 3_600_000 },
  { unit: "minute", ms: 60_000 },
  { unit: "second", ms: 1_000 },
  { unit: "millisecond", ms: 1 },
] as const;

function unitText(value: number, unit: string, digits: Intl.NumberFormatOptions = { maximumFractionDigits: 0 }): string {
  return new Intl.NumberFormat(undefined, { style: "unit", unit, unitDisplay: "narrow", ...digits }).format(value);
}

/** The two largest units of a duration, such as `4m 31s`; what is shorter than a minute has one unit and a decimal. */
function durationText(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1) return unitText(ms, "millisecond", { maximumSignificantDigits: 2 });
  if (ms < 9.95) return unitText(ms, "millisecond", { maximumFractionDigits: 1 });
  if (ms < 999.5) return unitText(ms, "millisecond");
  if (ms < 59_950) return unitText(ms / 1_000, "second", { maximumFractionDigits: 1 });
  // What rounds up to a unit is told in it: 23 h 59 min 50 s are a day.
  const at = UNITS.findIndex((one, index) => ms >= one.ms - (UNITS[index + 1]?.ms ?? 0) / 2);
  const [large, small] = [UNITS[at], UNITS[at + 1]];
  if (large === undefined || small === undefined) return unitText(ms, "millisecond");
  const all = Math.round(ms / small.ms);
  const rest = all % (large.ms / small.ms);
  const text = unitText(Math.floor((all * small.ms) / large.ms), large.unit);
  return rest === 0 ? text : `${text} ${unitText(rest, small.unit)}`;
}
