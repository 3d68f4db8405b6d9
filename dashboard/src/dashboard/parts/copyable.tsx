// A text to take along, such as a new token: with a button that copies it.
import { useState } from "react";

export function Copyable({ label, text }: { label: string; text: string }) {
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
    <span className="copyable">
      <code>{text}</code>{" "}
      <button type="button" onClick={copy}>
        Copy<span className="hidden"> {label}</span>
      </button>{" "}
      <span role="status" className="sub">
        {told}
      </span>
    </span>
  );
}
