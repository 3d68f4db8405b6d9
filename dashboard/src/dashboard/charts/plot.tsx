// The picture of a chart.
import { useId } from "react";

import { go } from "../address/location";
import type { Marker } from "./chart";
import { type Bucket, positionOf } from "./scale";
import { barPath, type Frame, lastClosed, linePath, lonely, type Series, stacked, xOf, yOf } from "./shapes";

type Props = {
  frame: Frame;
  buckets: Bucket[];
  series: Series[];
  rows: { value: number; text: string }[];
  columns: { position: number; text: string }[];
  markers: Marker[];
  chosen: number | null;
};

export function Plot({ frame, buckets, series, rows, columns, markers, chosen }: Props) {
  const width = frame.left + frame.width + 4;
  const base = frame.top + frame.height;
  return (
    <svg className="plot" width={width} height={base + 22} aria-hidden="true">
      {rows.map(({ value, text }) => (
        <g key={value}>
          <line className="grid" x1={frame.left} x2={width} y1={yOf(frame, value)} y2={yOf(frame, value)} />
          <text className="tick" x={frame.left - 6} y={yOf(frame, value) + 4} textAnchor="end">
            {text}
          </text>
        </g>
      ))}
      {columns.map(({ position, text }) => (
        <text key={position} className="tick" x={xOf(frame, position)} y={base + 16} textAnchor="middle">
          {text}
        </text>
      ))}
      {chosen !== null && (
        <rect className="cursor" x={xOf(frame, chosen)} width={frame.width / frame.count} y={frame.top} height={frame.height} />
      )}
      <Bars frame={frame} buckets={buckets} series={series.filter(({ kind }) => kind === "bar")} />
      {series
        .filter(({ kind }) => kind === "line")
        .map((one) => (
          <Line key={one.name} frame={frame} buckets={buckets} series={one} />
        ))}
      {markers.map((marker) => (
        <MarkerLine key={`${marker.at} ${marker.label}`} frame={frame} marker={marker} position={positionOf(marker.at, buckets)} />
      ))}
    </svg>
  );
}

/** Stacked bars; those of the bucket that still runs are hatched. */
function Bars({ frame, buckets, series }: { frame: Frame; buckets: Bucket[]; series: Series[] }) {
  const id = useId();
  const below = stacked(series);
  return series.map(({ name, tone, values }, index) => (
    <g key={name} className={`tone-${tone}`}>
      <pattern id={`${id}${index}`} width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
        <rect className="fill faint" width="4" height="4" />
        <rect className="fill" width="2" height="4" />
      </pattern>
      <path className="fill" d={barPath(frame, values, below[index] ?? [], (at) => !buckets[at]?.open)} />
      <path fill={`url(#${id}${index})`} d={barPath(frame, values, below[index] ?? [], (at) => buckets[at]?.open === true)} />
    </g>
  ));
}

/** A line, dashed where the bucket still runs. */
function Line({ frame, buckets, series: { tone, values } }: { frame: Frame; buckets: Bucket[]; series: Series }) {
  const closed = lastClosed(buckets);
  const over = values.map((value, index) => (index <= closed ? value : null));
  const running = values.map((value, index) => (index >= closed ? value : null));
  return (
    <g className={`tone-${tone}`}>
      <path className="stroke" d={linePath(frame, over)} />
      <path className="stroke dashed" d={linePath(frame, running)} />
      {lonely(values).map((index) => (
        <circle key={index} className="fill" r="2.5" cx={xOf(frame, index + 0.5)} cy={yOf(frame, values[index] ?? 0)} />
      ))}
    </g>
  );
}

function MarkerLine({ frame, marker, position }: { frame: Frame; marker: Marker; position: number | null }) {
  if (position === null) return null;
  const { href } = marker;
  const x = xOf(frame, position);
  return (
    <g className={`marker ${href ? "link" : ""}`} onClick={() => href && go(href)}>
      <title>{marker.label}</title>
      <line x1={x} x2={x} y1={frame.top} y2={frame.top + frame.height} />
      <path d={`M${x - 5} ${frame.top - 8}h10l-5 8Z`} />
    </g>
  );
}
