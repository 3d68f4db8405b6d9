// The navigation: a column beside the page, or a menu above it where there is no room for one.
import { Link } from "./address/link";
import type { View } from "./address/view";
import { GROUPS, offeredPages } from "./pages/pages";

type Props = { path: string; view: View; roles: string[]; isOpen: boolean; onClose: () => void };

export function Navigation({ path, view, roles, isOpen, onClose }: Props) {
  const offered = offeredPages(roles);
  return (
    <nav id="pages" aria-label="Pages" className={isOpen ? "open" : ""} onKeyDown={({ key }) => key === "Escape" && onClose()}>
      {GROUPS.map((group) => (
        <ul key={group} aria-label={group || "Start"}>
          {group !== "" && (
            <li className="group" aria-hidden="true">
              {group}
            </li>
          )}
          {offered
            .filter((page) => page.group === group)
            .map((page) => (
              <li key={page.path}>
                <Link href={view.link(page.path)} aria-current={isWithin(path, page.path) ? "page" : undefined} onClick={onClose}>
                  {page.title}
                </Link>
              </li>
            ))}
        </ul>
      ))}
    </nav>
  );
}

function isWithin(path: string, page: string): boolean {
  return page === "/" ? path === "/" : path === page || path.startsWith(`${page}/`);
}
