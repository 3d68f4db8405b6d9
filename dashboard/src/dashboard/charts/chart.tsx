// A chart over time: stacked bars or lines, with markers, a cursor for pointer and keys, and a table.
import { type KeyboardEvent, type PointerEvent, useId, useLayoutEffect, useRef, useState } from "react";

import type { Format } from "../format/numbers";
import { bucket as bucketText, clock, dated, day, yearOf } from "../format/times";
import { CsvButton } from "../parts/actions";
import { Plot } from "./plot";
import { type Bucket, labelled, ticksTo } from "./scale";
import type { Frame, Series } from "./shapes";
import { ChartTable } from "./table";
import { Tip } from "./tip";

/** A moment that a reader should know of; with a link, a click leads there. */
export type Marker = { at: string; label: string; href?: string };

type Props = {
  label: string;
  buckets: Bucket[];
  series: Series[];
  zone: string;
  format: Format;
  height?: number;
  ticks?: (largest: number) => number[];
  markers?: Marker[];
};

/** The room for the texts beside the chart, at least, and for each of their characters. */
const LEFT = 44;
const CHARACTER = 6.5;
const BOTTOM = 22;
const TOP = 10;

export function ChartComponent({ label, buckets, series, zone, format, height = 180, ticks = ticksTo, markers = [] }: Props) {
  const [holder, width] = useWidth();
  const [at, setAt] = useState<number | null>(null);
  const [isTable, setIsTable] = useState(false);
  const hint = useId();
  const values = ticks(largestOf(series, buckets.length));
  const rows = values.map((value) => ({ value, text: format(value) }));
  const left = Math.max(LEFT, 12 + CHARACTER * Math.max(...rows.map(({ text }) => text.length)));
  const frame: Frame = {
    width: Math.max(0, width - left - 4),
    height: height - TOP - BOTTOM,
    left,
    top: TOP,
    count: buckets.length,
    largest: values.at(-1) || 1,
  };
  const chosen = at === null ? null : Math.min(at, buckets.length - 1);

  const move = (event: PointerEvent<HTMLDivElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left - left;
    const index = Math.floor((x / Math.max(1, frame.width)) * buckets.length);
    setAt(Math.max(0, Math.min(buckets.length - 1, index)));
  };
  const press = (event: KeyboardEvent) => {
    const next = keyed(event.key, chosen, buckets.length);
    if (next === undefined) return;
    event.preventDefault();
    setAt(next);
  };

  return (
    <div className="chart">
      <ul className="legend">
        {series.map(({ name, tone, kind }) => (
          <li key={name}>
            <span className={`swatch ${kind} tone-${tone}`} aria-hidden="true" />
            {name}
          </li>
        ))}
        <li className="legend-action">
          <CsvButton name={label} buckets={buckets} series={series} />
          <button type="button" className="quiet" aria-expanded={isTable} onClick={() => setIsTable(!isTable)}>
            Table<span className="hidden"> of {label}</span>
          </button>
        </li>
      </ul>
      {isTable ? (
        <ChartTable label={label} buckets={buckets} series={series} zone={zone} format={format} />
      ) : (
        <div
          ref={holder}
          className="chart-holder"
          role="group"
          aria-roledescription="chart"
          aria-label={label}
          aria-describedby={hint}
          tabIndex={0}
          onPointerMove={move}
          onPointerLeave={() => setAt(null)}
          onKeyDown={press}
          onBlur={() => setAt(null)}
        >
          <span id={hint} className="hidden">
            Arrow keys read the values; the button Table lists them.
          </span>
          {width > 0 && (
            <Plot
              frame={frame}
              buckets={buckets}
              series={series}
              rows={rows}
              columns={columnsOf(buckets, frame, zone)}
              markers={markers}
              chosen={chosen}
            />
          )}
          {chosen !== null && buckets[chosen] && (
            <Tip
              title={bucketText(buckets[chosen].start, buckets[chosen].end, zone)}
              isOpen={buckets[chosen].open}
              rows={series.map((one) => ({ ...one, text: format(one.values[chosen]) }))}
              notes={markersIn(buckets[chosen], markers)}
              x={left + ((chosen + 0.5) * frame.width) / buckets.length}
              width={width}
            />
          )}
        </div>
      )}
    </div>
  );
}

function largestOf(series: Series[], count: number): number {
  const tops = Array.from({ length: count }, (_, index) => {
    const bars = series.filter(({ kind }) => kind === "bar").reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
    const lines = series.filter(({ kind }) => kind === "line").map(({ values }) => values[index] ?? 0);
    return Math.max(bars, ...lines);
  });
  return Math.max(0, ...tops);
}

const HOUR_MS = 3_600_000;
const LABEL_WIDTH = 72;
const DATED_WIDTH = 100; // of a day with its year

/** The texts of the time axis: below the middle of days, and below the start of what is shorter. */
function columnsOf(buckets: Bucket[], { width }: Frame, zone: string): { position: number; text: string }[] {
  const [first, second, last] = [buckets[0], buckets[1], buckets.at(-1)];
  if (!first || !last) return [];
  const isShort = Date.parse(last.end) - Date.parse(first.start) <= 49 * HOUR_MS;
  const isWide = second !== undefined && Date.parse(second.end) - Date.parse(second.start) > 22 * HOUR_MS;
  const isMonthly = second !== undefined && Date.parse(second.end) - Date.parse(second.start) > 27 * 24 * HOUR_MS;
  const isOfYears = isMonthly || yearOf(first.start, zone) !== yearOf(last.start, zone);
  const textOf = (index: number) => {
    const at = buckets[index]?.start ?? "";
    if (isShort) return clock(at, zone);
    return isOfYears ? dated(at, zone, isMonthly) : day(at, zone);
  };
  const labelWidth = isOfYears && !isMonthly ? DATED_WIDTH : LABEL_WIDTH;
  return labelled(buckets, Math.floor(width / labelWidth), textOf)
    .map((index) => ({ position: index + (isWide ? 0.5 : 0), text: textOf(index) }))
    .filter(({ position }) => (1 - position / buckets.length) * width > labelWidth / 3);
}

function markersIn(one: Bucket, markers: Marker[]): string[] {
  const [start, end] = [Date.parse(one.start), Date.parse(one.end)];
  return markers.filter(({ at }) => Date.parse(at) >= start && Date.parse(at) < end).map(({ label }) => label);
}

/** The bucket that a key leads to; undefined for other keys. */
function keyed(key: string, chosen: number | null, count: number): number | null | undefined {
  const last = count - 1;
  switch (key) {
    case "ArrowRight":
      return Math.min(last, (chosen ?? -1) + 1);
    case "ArrowLeft":
      return Math.max(0, (chosen ?? count) - 1);
    case "Home":
      return 0;
    case "End":
      return last;
    case "Escape":
      return null;
    default:
      return undefined;
  }
}

/** The width of an element, followed. */
function useWidth(): [(element: HTMLDivElement | null) => void, number] {
  const [element, setElement] = useState<HTMLDivElement | null>(null);
  const [width, setWidth] = useState(0);
  const observer = useRef<ResizeObserver | null>(null);
  useLayoutEffect(() => {
    if (element === null) return;
    setWidth(element.clientWidth);
    observer.current = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.current.observe(element);
    return () => observer.current?.disconnect();
  }, [element]);
  return [setElement, width];
}
