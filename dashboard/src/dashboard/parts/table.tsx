// Rows of one kind as a table, declared by its columns.
import type { ReactNode } from "react";

import type { View } from "../address/view";

export type Column<Row> = {
  title: string;
  cell: (row: Row, view: View) => ReactNode;
  /** Whether it holds numbers or times, which are aligned at their end. */
  isNumber?: boolean;
  /** Whether it holds sentences, which go on in the next line. */
  isText?: boolean;
  /** Whether it holds what can be done with the row; its title is not shown. */
  isAction?: boolean;
  /** The exact value, to point at. */
  exactly?: (row: Row) => string;
};

type Props<Row> = { label: string; columns: Column<Row>[]; rows: Row[]; keyOf: (row: Row) => string; view: View };

/** The first column names the row; a title in it may have a line below it. */
export function Table<Row>({ label, columns, rows, keyOf, view }: Props<Row>) {
  const [name, ...others] = columns;
  return (
    <div className="table-holder" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, isNumber, isAction }) => (
              <th key={title} scope="col" className={isNumber ? "number" : ""}>
                {isAction ? <span className="hidden">{title}</span> : title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              <th scope="row" className="title">
                {name?.cell(row, view)}
              </th>
              {others.map(({ title, cell, isNumber, isText, exactly }) => (
                <td key={title} className={isNumber ? "number" : isText ? "text" : ""} title={exactly?.(row)}>
                  {cell(row, view)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
