// A button that opens a small window below it; Escape and a click elsewhere close it.
import { type ReactNode, Suspense, useId, useRef, useState } from "react";

type Props = {
  /** Names the window, and begins the button's name. */
  label: string;
  /** What the button shows. */
  text: string;
  isChosen?: boolean;
  /** The contents, made when it opens. */
  children: (close: () => void) => ReactNode;
};

const MARGIN = 8;
const WIDTH = 320; // as design/controls.css has it

export function Popup({ label, text, isChosen = false, children }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const window = useRef<HTMLDivElement>(null);
  const [isOpen, setIsOpen] = useState(false);
  // It stands in the top layer, where a scrolling bar of filters cannot cut it off.
  const place = () => {
    const below = button.current?.getBoundingClientRect();
    if (below === undefined || window.current === null) return;
    const left = Math.max(MARGIN, Math.min(below.left, innerWidth - WIDTH - MARGIN));
    window.current.style.left = `${left + scrollX}px`;
    window.current.style.top = `${below.bottom + scrollY + 4}px`;
  };
  return (
    <span className={`choice ${isChosen ? "chosen" : ""}`}>
      <button ref={button} type="button" className="opens" popoverTarget={id} aria-haspopup="dialog">
        <span className="hidden">{label}: </span>
        {text}
      </button>
      <div
        ref={window}
        id={id}
        popover="auto"
        className="popup"
        role="dialog"
        aria-label={label}
        onBeforeToggle={(event) => event.newState === "open" && place()}
        onToggle={(event) => setIsOpen(event.newState === "open")}
      >
        <Suspense>{isOpen && children(() => window.current?.hidePopover())}</Suspense>
      </div>
    </span>
  );
}
