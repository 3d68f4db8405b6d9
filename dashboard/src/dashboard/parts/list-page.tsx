// A page that lists things of one kind: filters, tabs, words, order, table and pages, all in the address.
import type { ReactNode } from "react";

import type { Measure, MetricFilter } from "../../../generated/graphql";
import type { Dimension, View } from "../address/view";
import type { Answer } from "../api/use-analytics";
import { type Panel, Panels } from "../panels/panel";
import { Elsewhere } from "./elsewhere";
import { FilterBar, type Names } from "./filter-bar";
import { type Fresh, Heading } from "./heading";
import { type List, PagedTable } from "./paged-table";
import { pageOf } from "./pager";
import { Search } from "./search";
import type { Column } from "./table";
import { ManyTabs, type Tab } from "./tabs";

/** What a list may be ordered by, by its name in the address; the one without a name is usual. */
export type Orders<Field> = { "": Order<Field>; [name: string]: Order<Field> };
type Order<Field> = { label: string; field: Field };

/** The orders of what begins and finishes. */
export const RUN_ORDERS: Orders<"CREATED_AT" | "DURATION_MS" | "FINISHED_AT"> = {
  "": { label: "newest first", field: "CREATED_AT" },
  slowest: { label: "slowest first", field: "DURATION_MS" },
  finished: { label: "last finished first", field: "FINISHED_AT" },
};

const PAGE_SIZE = 25;

/** The arguments of a list that the address names: words, order and page. */
export function argumentsOf<Field>(view: View, orders: Orders<Field>) {
  const { field } = orders[view.value("sort")] ?? orders[""];
  return { search: view.value("search") || null, orderBy: { field }, ...pageOf(view, PAGE_SIZE) };
}

type Props<Row> = {
  title: string;
  /** What one of them is called: `deployment`. */
  noun: string;
  /** The measure that counts them, and its filter. */
  counted: { measure: Measure; filter: MetricFilter };
  view: View;
  answer: Answer<Record<string, unknown>>;
  freshness?: Fresh | undefined;
  names: Names;
  /** The filters that these things have. */
  only?: readonly Dimension[];
  /** Their statuses, and those that are shown; null for all. */
  tabs?: Tab[];
  statuses?: string[] | null;
  search: string;
  orders?: Orders<unknown>;
  columns: Column<Row>[];
  keyOf: (row: Row) => string;
  list: List<Row>;
  /** Stand above the list; the page's query has their fragments. */
  panels: Panel[];
  /** More filters, beside the statuses. */
  children?: ReactNode;
};

export function ListPage<Row>({ title, noun, counted, view, answer, freshness, names, only, tabs, statuses = null, search, orders, columns, keyOf, list, panels, children }: Props<Row>) {
  return (
    <>
      <Heading title={title} answer={answer} freshness={freshness} zone={view.zone} />
      <FilterBar view={view} names={names} {...(only ? { only } : {})} />
      {list?.totalCount === 0 && <Elsewhere {...counted} view={view} />}
      <Panels panels={panels} answer={answer} view={view} isStrip />
      <div className="filters">
        {tabs && <ManyTabs label="Status" chosen={(statuses ?? []).map((one) => one.toLowerCase())} tabs={tabs} onChoose={(values) => view.change({ status: values.length > 0 ? values : "all", before: null })} />}
        {children}
        <Search view={view} label={search} />
        {orders && <OrderChoice view={view} orders={orders} />}
      </div>
      <div className={`panels ${answer.isStale ? "stale" : ""}`}>
        <section className="panel" aria-label="List">
          <PagedTable
            label={title}
            empty={`No ${noun} is like that. Try a longer range or fewer filters.`}
            kept={["status", "type", "severity", "search", "sort"]}
            {...{ noun, answer, list, columns, keyOf, view }}
          />
        </section>
      </div>
    </>
  );
}

function OrderChoice({ view, orders }: { view: View; orders: Orders<unknown> }) {
  return (
    <span className="choice">
      <select aria-label="Order" value={view.value("sort")} onChange={(event) => view.change({ sort: event.target.value, before: null })}>
        {Object.entries(orders).map(([name, { label }]) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
      </select>
    </span>
  );
}
