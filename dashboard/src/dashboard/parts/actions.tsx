// What can be done with the data of a chart: see its query, take its rows along.
import { Link } from "../address/link";
import { useView } from "../address/view";
import { isServed } from "../api/served";
import type { Bucket } from "../charts/scale";
import type { Series } from "../charts/shapes";

/** A link that opens a query in GraphiQL, which reads it from the address; none where that is not served. */
export function QueryLink({ query, variables, label }: { query: string; variables: object; label: string }) {
  const view = useView();
  if (!isServed("graphiql")) return null;
  const fragment = new URLSearchParams({ query: indented(query), variables: JSON.stringify(variables, null, 2) });
  return (
    <Link className="quiet" href={`${view.link("/graphql")}#${fragment}`}>
      Query<span className="hidden"> of {label} in GraphiQL</span>
    </Link>
  );
}

export function CsvButton({ name, buckets, series }: { name: string; buckets: Bucket[]; series: Series[] }) {
  const save = () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(buckets, series)], { type: "text/csv" }));
    link.download = `${name}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
  };
  return (
    <button type="button" className="quiet" onClick={save}>
      CSV<span className="hidden"> of {name}</span>
    </button>
  );
}

function csvOf(buckets: Bucket[], series: Series[]): string {
  const head = ["start", "end", ...series.map(({ name }) => name)];
  const rows = buckets.map(({ start, end }, index) => [start, end, ...series.map(({ values }) => values[index] ?? "")]);
  return [head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}

/** Quoted, and never a formula of a spreadsheet. */
function cell(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}

/** Without the indentation that all lines share in the source. */
function indented(query: string): string {
  return query.replace(/^\n/, "").replaceAll(/\n {2}/g, "\n").trim();
}
