// A text to take along, such as a new token: with a button that copies it.
import { useState } from "react";

/** `isBlock`: it has lines, and the button stands below. */
export function Copyable({ label, text, isBlock = false }: { label: string; text: string; isBlock?: boolean }) {
  const Holder = isBlock ? "div" : "span";
  const [told, setTold] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setTold("Copied");
    } catch {
      setTold("The browser does not allow it; select the text instead");
    }
  };
  return (
    <Holder className="copyable">
      {isBlock ? <pre>{text}</pre> : <code>{text}</code>}{" "}
      <button type="button" onClick={copy}>
        Copy<span className="hidden"> {label}</span>
      </button>{" "}
      <span role="status" className="sub">
        {told}
      </span>
    </Holder>
  );
}
