// The way to the search over everything: a button, and Ctrl+K or ⌘K.
import { lazy, Suspense, useEffect, useState } from "react";

import { Boundary } from "./boundary";

const Palette = lazy(() => import("./palette"));
const KEY = /Mac|iPhone|iPad/.test(navigator.platform) ? "⌘K" : "Ctrl K";

export function PaletteButton() {
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
      event.preventDefault();
      setIsOpen((before) => !before);
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  return (
    <>
      <button type="button" className="palette-button" aria-haspopup="dialog" onClick={() => setIsOpen(!isOpen)}>
        <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
          <path d="M13 13l4 4M8.5 14a5.5 5.5 0 1 1 0-11 5.5 5.5 0 0 1 0 11Z" fill="none" stroke="currentColor" strokeWidth="1.6" strokeLinecap="round" />
        </svg>
        <span>Search</span> <kbd aria-hidden="true">{KEY}</kbd>
      </button>
      {isOpen && (
        <Boundary what="The search" isSmall>
          <Suspense>
            <Palette onClose={() => setIsOpen(false)} />
          </Suspense>
        </Boundary>
      )}
    </>
  );
}
