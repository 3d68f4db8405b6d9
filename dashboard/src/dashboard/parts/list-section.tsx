// A part of a page that lists things: a table of them, or what stands in its place.
import type { ReactNode } from "react";

import type { View } from "../address/view";
import type { Answer } from "../api/use-analytics";
import { Empty } from "../panels/panel";
import { Fault } from "./form";
import { Section } from "./section";
import { type Column, Table } from "./table";
import { Waiting } from "./waiting";

type Props<Row> = {
  title: string;
  name: string;
  /** Of the twelve columns of a wide screen; all by default. */
  columnsWide?: number;
  label: string;
  answer: Answer<unknown>;
  rows: Row[] | null | undefined;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  view: View;
  /** What is said where there are none. */
  empty: ReactNode;
  /** Why the last change of a row was refused. */
  fault?: string | null;
  /** What the page is about and has not found, such as `project`. */
  missing?: string | null;
  children?: ReactNode;
};

export function ListSection<Row>({ title, name, columnsWide = 12, answer, rows, empty, fault = null, missing = null, children, ...table }: Props<Row>) {
  return (
    <Section title={title} name={name} columns={columnsWide}>
      <Fault text={fault} />
      {!rows && <Waiting answer={answer} missing={missing} />}
      {rows?.length === 0 && <Empty>{empty}</Empty>}
      {rows && rows.length > 0 && <Table rows={rows} {...table} />}
      {children}
    </Section>
  );
}
