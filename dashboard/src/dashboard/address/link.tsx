// A link within the dashboard: a click changes the page without loading it anew.
import type { AnchorHTMLAttributes, MouseEvent } from "react";

import { go } from "./location";

type Props = AnchorHTMLAttributes<HTMLAnchorElement> & { href: string };

export function Link({ href, onClick, ...rest }: Props) {
  const click = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (event.defaultPrevented || !isPlain) return;
    event.preventDefault();
    go(href);
    scrollTo(0, 0);
  };
  return <a href={href} onClick={click} {...rest} />;
}
