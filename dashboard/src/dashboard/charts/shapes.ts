// The paths of a chart's series.
import type { Bucket } from "./scale";

export type Series = {
  name: string;
  /** Names the colour: `--series-good` and so on. */
  tone: string;
  kind: "bar" | "line";
  /** A value for each bucket; null where there is none, which is drawn as a gap. */
  values: (number | null)[];
};

/** The tones of series that only differ in what they are about, such as networks. */
export const CATEGORIES = ["cat-1", "cat-2", "cat-3", "cat-4", "cat-5", "cat-6"];

export type Frame = { width: number; height: number; left: number; top: number; count: number; largest: number };

export const xOf = (frame: Frame, index: number): number =>
  frame.left + (index * frame.width) / Math.max(1, frame.count);

export const yOf = (frame: Frame, value: number): number =>
  frame.top + frame.height - (value / frame.largest) * frame.height;

/** Bars from the tops of the series below it; `only` chooses the buckets. */
export function barPath(frame: Frame, values: (number | null)[], below: number[], only: (index: number) => boolean): string {
  const width = frame.width / Math.max(1, frame.count);
  const gap = width > 6 ? Math.min(4, width * 0.2) : width > 2.5 ? 0.75 : 0;
  return values
    .map((value, index) => {
      if (!value || !only(index)) return "";
      const base = below[index] ?? 0;
      const [x, top, bottom] = [xOf(frame, index) + gap / 2, yOf(frame, base + value), yOf(frame, base)];
      return `M${x.toFixed(1)} ${bottom.toFixed(1)}V${top.toFixed(1)}h${(width - gap).toFixed(1)}V${bottom.toFixed(1)}Z`;
    })
    .join("");
}

/** A line through the middles of the buckets, interrupted where there is no value. */
export function linePath(frame: Frame, values: (number | null)[]): string {
  let isDrawing = false;
  return values
    .map((value, index) => {
      if (value === null) {
        isDrawing = false;
        return "";
      }
      const point = `${xOf(frame, index + 0.5).toFixed(1)} ${yOf(frame, value).toFixed(1)}`;
      const step = isDrawing ? `L${point}` : `M${point}`;
      isDrawing = true;
      return step;
    })
    .join("");
}

/** The values that have no neighbour: a line does not show them. */
export function lonely(values: (number | null)[]): number[] {
  return values
    .map((_, index) => index)
    .filter((index) => values[index] != null && values[index - 1] == null && values[index + 1] == null);
}

/** The index of the last bucket that is over; from there on a line is dashed. */
export function lastClosed(buckets: Bucket[]): number {
  return buckets.findLastIndex((one) => !one.open);
}

/** For each series the tops of those below it. */
export function stacked(series: Series[]): number[][] {
  const sums: number[] = [];
  return series.map(({ values }) => {
    const below = values.map((_, index) => sums[index] ?? 0);
    values.forEach((value, index) => {
      sums[index] = (sums[index] ?? 0) + (value ?? 0);
    });
    return below;
  });
}
