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
/** The size of a change of a percentage, in percentage points. */
export const points = orNothing((value) => decimals.format(value));
export const duration = orNothing(durationText);

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

function unitText(value: number, unit: string, digits = 0): string {
  const options = { style: "unit", unit, unitDisplay: "narrow", maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(undefined, options).format(value);
}

/** The two largest units of a duration, such as `4m 31s`; seconds below a minute have a decimal. */
function durationText(ms: number): string {
  if (ms === 0) return "0";
  if (ms < 1_000) return unitText(ms, "millisecond");
  if (ms < 60_000) return unitText(ms / 1_000, "second", 1);
  const at = UNITS.findIndex((one) => ms >= one.ms);
  const [large, small] = [UNITS[at], UNITS[at + 1]];
  if (large === undefined || small === undefined) return unitText(ms, "millisecond");
  const rest = Math.round((ms % large.ms) / small.ms);
  const text = unitText(Math.floor(ms / large.ms), large.unit);
  return rest === 0 ? text : `${text} ${unitText(rest, small.unit)}`;
}
