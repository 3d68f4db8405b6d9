// The form of a range of one's own: days, and times if it is not of whole days.
import { type FormEvent, useState } from "react";

import { type Custom, customSpan, MOST_YEARS, NoRange } from "../address/span";
import { localOf } from "../address/zones";

/** The last seven days as whole days, to start from. */
function lastDays(zone: string): Custom {
  const dayAt = (daysAgo: number) => localOf(new Date(Date.now() - daysAgo * 86_400_000), zone).slice(0, 10);
  return { from: dayAt(6), fromTime: "", to: dayAt(0), toTime: "" };
}

export default function CustomRange({ chosen, zone, onChange }: { chosen: Custom | null; zone: string; onChange: (range: string) => void }) {
  const [custom, setCustom] = useState(chosen ?? lastDays(zone));
  const [fault, setFault] = useState<string | null>(null);
  const field = (name: keyof Custom, type: "date" | "time", label: string) => (
    <input
      type={type}
      aria-label={label}
      autoFocus={name === "from"}
      value={custom[name]}
      aria-invalid={fault !== null}
      aria-describedby={fault === null ? undefined : "range-fault"}
      onChange={(event) => setCustom({ ...custom, [name]: event.target.value })}
    />
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    try {
      onChange(customSpan(custom, zone).rangeName);
    } catch (error) {
      if (!(error instanceof NoRange)) throw error;
      setFault(error.message);
    }
  };
  return (
    <form onSubmit={submit} noValidate className="fields">
      <fieldset className="pair">
        <legend>From</legend>
        {field("from", "date", "First day")}
        {field("fromTime", "time", "Time of the first day")}
      </fieldset>
      <fieldset className="pair">
        <legend>To</legend>
        {field("to", "date", "Last day")}
        {field("toTime", "time", "Time of the last day")}
      </fieldset>
      <p className="sub">
        A range has at most {MOST_YEARS} years. Without times it is whole days. Times are those of {zone}.
      </p>
      {fault !== null && (
        <p id="range-fault" className="banner" role="alert">
          {fault}
        </p>
      )}
      <button type="submit" className="primary">
        Show this range
      </button>
    </form>
  );
}
