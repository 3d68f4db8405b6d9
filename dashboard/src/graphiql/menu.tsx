// The dashboard's pages, so that GraphiQL is one of them; the gateway says whether it serves them.
import { type KeyboardEvent, useId, useRef, useState } from "react";

import { GROUPS, offeredPages } from "../dashboard/pages/pages";

const hasDashboard = document.querySelector<HTMLMetaElement>('meta[name="with-dashboard"]')?.content === "yes";

export function Menu({ roles }: { roles: string[] }) {
  const [isOpen, setIsOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  if (!hasDashboard) return null;
  const offered = offeredPages(roles);
  const press = ({ key }: KeyboardEvent) => {
    if (key !== "Escape" || !isOpen) return;
    setIsOpen(false);
    button.current?.focus();
  };
  return (
    <div className="menu" onKeyDown={press}>
      <button ref={button} type="button" aria-expanded={isOpen} aria-controls={id} data-testid="menu" onClick={() => setIsOpen(!isOpen)}>
        Menu
      </button>
      <nav id={id} aria-label="Pages" hidden={!isOpen}>
        {GROUPS.map((group) => (
          <ul key={group} aria-label={group || "Start"}>
            {group !== "" && (
              <li className="group" aria-hidden="true">
                {group}
              </li>
            )}
            {offered
              .filter((page) => page.group === group)
              .map(({ path, title }) => (
                <li key={path}>
                  <a href={path}>{title}</a>
                </li>
              ))}
          </ul>
        ))}
      </nav>
    </div>
  );
}
