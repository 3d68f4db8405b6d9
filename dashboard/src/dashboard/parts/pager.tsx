// How many there are, and the way to the next and the previous page; the cursor is in the address.
import { Link } from "../address/link";
import type { View } from "../address/view";
import { useAddress } from "../address/location";
import { counted } from "../format/numbers";

export type Page = {
  totalCount: number;
  isEstimate: boolean;
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
};

/** The arguments of a list for the page that the address names. */
export function pageOf(view: View, size: number): { first: number | null; after: string | null; last: number | null; before: string | null } {
  const before = view.value("before");
  if (before !== "") return { first: null, after: null, last: size, before };
  return { first: size, after: view.value("after") || null, last: null, before: null };
}

export function Pager({ page, view, kept, noun }: { page: Page; view: View; kept: string[]; noun: string }) {
  const { path } = useAddress();
  const { hasNextPage, hasPreviousPage, startCursor, endCursor } = page.pageInfo;
  const same = Object.fromEntries(kept.map((name) => [name, view.value(name)]));
  // Of a page that was reached by a cursor there is always something on its other side.
  const hasNext = hasNextPage || view.value("before") !== "";
  const hasPrevious = hasPreviousPage || view.value("after") !== "";
  return (
    <nav className="pager" aria-label="Pages of the list">
      <span>
        {page.isEstimate && "more than "}
        {counted(page.totalCount, noun)}
      </span>
      {hasPrevious && startCursor !== null && <Link href={view.link(path, { ...same, before: startCursor })}>← Previous</Link>}
      {hasNext && endCursor !== null && <Link href={view.link(path, { ...same, after: endCursor })}>Next →</Link>}
    </nav>
  );
}
