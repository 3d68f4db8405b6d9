// Where values and times lie on a chart.
export type Bucket = { start: string; end: string; open: boolean };

/** A few round values from 0 to at least the largest one. */
export function ticksTo(largest: number, wanted = 3, step = 1): number[] {
  if (largest <= 0) return [0, step];
  const rough = largest / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const count = Math.ceil(largest / size - 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * size);
}

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const ROUND_MS = [1, 5, 15, 60, 300, 600, 1_800, 3_600, 10_800, 21_600, 86_400].map((seconds) => seconds * SECOND);

/** The same for durations, in round units of time. */
export function ticksOfTime(largestMs: number, wanted = 3): number[] {
  const rough = largestMs / wanted;
  const size = ROUND_MS.map((one) => [one, one * 2]).flat().find((one) => one >= rough);
  if (largestMs < SECOND) return ticksTo(largestMs, wanted);
  if (size === undefined) return ticksTo(largestMs / DAY, wanted).map((days) => days * DAY);
  return Array.from({ length: Math.ceil(largestMs / size) + 1 }, (_, index) => index * size);
}

/** The position of a time, in buckets from the left; null outside of them. */
export function positionOf(at: string, buckets: Bucket[]): number | null {
  const time = Date.parse(at);
  const index = buckets.findIndex((one) => time >= Date.parse(one.start) && time < Date.parse(one.end));
  const found = buckets[index];
  if (found === undefined) return null;
  const start = Date.parse(found.start);
  return index + (time - start) / (Date.parse(found.end) - start);
}

/** The buckets at which a new text begins below the chart, thinned out to at most so many. */
export function labelled(buckets: Bucket[], room: number, textOf: (index: number) => string): number[] {
  const starts = buckets.map((_, index) => index).filter((index) => index > 0 && textOf(index) !== textOf(index - 1));
  const step = Math.max(1, Math.ceil(starts.length / Math.max(1, room)));
  return starts.filter((_, index) => index % step === 0);
}
