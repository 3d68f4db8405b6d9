// The values of a chart as a table, newest first.
import type { Format } from "../format/numbers";
import { bucket as bucketText } from "../format/times";
import type { Bucket } from "./scale";
import type { Series } from "./shapes";

type Props = { label: string; buckets: Bucket[]; series: Series[]; zone: string; format: Format };

export function ChartTable({ label, buckets, series, zone, format }: Props) {
  const order = buckets.map((_, index) => buckets.length - 1 - index);
  return (
    <div className="chart-table" tabIndex={0} role="region" aria-label={`${label}, table`}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map(({ name }) => (
              <th key={name} scope="col" className="number">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {order.map((index) => (
            <tr key={index}>
              <th scope="row">
                {buckets[index] && bucketText(buckets[index].start, buckets[index].end, zone)}
                {buckets[index]?.open && " · still running"}
              </th>
              {series.map(({ name, values }) => (
                <td key={name} className="number">
                  {format(values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
