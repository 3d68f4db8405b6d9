// A table of one page of things and the way to the others, or what stands in its place.
import type { ReactNode } from "react";

import type { View } from "../address/view";
import type { Answer } from "../api/use-analytics";
import { Empty } from "../panels/panel";
import { type Page, Pager } from "./pager";
import { type Column, Table } from "./table";
import { Waiting } from "./waiting";

export type List<Row> = (Page & { nodes: Row[] }) | null | undefined;

type Props<Row> = {
  label: string;
  /** What one of them is called: `deployment`. */
  noun: string;
  answer: Answer<unknown>;
  list: List<Row>;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  view: View;
  /** What is said where there are none. */
  empty: ReactNode;
  /** The values of the address that the other pages keep. */
  kept?: string[];
};

export function PagedTable<Row>({ noun, answer, list, empty, kept = [], ...table }: Props<Row>) {
  return (
    <>
      <Waiting answer={answer} />
      {list?.nodes.length === 0 && <Empty>{empty}</Empty>}
      {list && list.nodes.length > 0 && <Table rows={list.nodes} {...table} />}
      {list && <Pager page={list} view={table.view} kept={kept} noun={noun} />}
    </>
  );
}
