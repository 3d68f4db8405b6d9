// A field for words to search, or a name to filter by; what was typed goes into the address after a short pause.
import { useEffect, useState } from "react";

import type { View } from "../address/view";

const PAUSE_MS = 350;

export function Search({ view, label, name = "search" }: { view: View; label: string; name?: string }) {
  const inAddress = view.value(name);
  const [text, setText] = useState(inAddress);
  useEffect(() => setText(inAddress), [inAddress]);
  useEffect(() => {
    if (text === inAddress) return;
    const timer = setTimeout(() => view.change({ [name]: text.trim(), before: null }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, inAddress, view, name]);
  return (
    <span className="choice search">
      <input type="search" aria-label={label} placeholder={label} value={text} maxLength={200} onChange={(event) => setText(event.target.value)} />
    </span>
  );
}
