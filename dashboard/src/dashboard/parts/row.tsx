// One of a list of things that are told in two lines: a link to it, something at its end, and more below.
import type { ReactNode } from "react";

import { Link } from "../address/link";

export function Row({ href, title, side, children }: { href: string; title: string; side: ReactNode; children: ReactNode }) {
  return (
    <li>
      <Link href={href} className="main">
        {title}
      </Link>
      <span className="side">{side}</span>
      <span className="sub">{children}</span>
    </li>
  );
}
