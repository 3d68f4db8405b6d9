// The list of time zones, and a field for the name of any other.
import { type FormEvent, useState } from "react";

import { isZone, ownZone, zoneNames } from "../address/zones";

export default function Zones({ chosen, onChange }: { chosen: string; onChange: (zone: string) => void }) {
  const [text, setText] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const name = text.trim().replaceAll(" ", "_");
    if (isZone(name)) onChange(name);
    else setFault(`There is no time zone “${text.trim()}”. Its name is that of a place, such as Europe/Berlin.`);
  };
  return (
    <form onSubmit={submit} className="fields">
      <ul className="options">
        {[...new Set([ownZone(), "UTC"])].map((zone) => (
          <li key={zone}>
            <button type="button" className="option" aria-pressed={zone === chosen} autoFocus={zone === chosen} onClick={() => onChange(zone)}>
              {zone.replaceAll("_", " ")} {zone === ownZone() && <span className="sub">of this browser</span>}
            </button>
          </li>
        ))}
      </ul>
      <label htmlFor="zone-name">Another zone</label>
      <input id="zone-name" list="zones" placeholder="Europe/Berlin" autoComplete="off" value={text} onChange={(event) => setText(event.target.value)} aria-invalid={fault !== null} aria-describedby={fault === null ? undefined : "zone-fault"} />
      <datalist id="zones">
        {zoneNames().map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      {fault !== null && (
        <p id="zone-fault" className="banner" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" className="primary" disabled={text.trim() === ""}>
        Use this zone
      </button>
    </form>
  );
}
