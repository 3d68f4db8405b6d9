// What forms share: a named control, a choice among words, and what was refused.
import { cloneElement, type ReactElement, type ReactNode, useId } from "react";

import "../design/forms.css";

type Described = { id?: string | undefined; "aria-describedby"?: string | undefined };

/** A control with its name above it and a hint below. */
export function Field({ name, hint, children }: { name: string; hint?: ReactNode; children: ReactElement<Described> }) {
  const id = useId();
  const describedBy = hint === undefined ? undefined : `${id}hint`;
  return (
    <div className="field">
      <label htmlFor={id}>{name}</label>
      {cloneElement(children, { id, "aria-describedby": describedBy })}
      {hint !== undefined && (
        <span className="sub" id={describedBy}>
          {hint}
        </span>
      )}
    </div>
  );
}

type ChoicesProps<Value extends string> = Described & {
  label?: string;
  value: Value;
  options: readonly (readonly [value: Value, text: string])[];
  onChange: (value: Value) => void;
};

/** A choice among values with a text each. */
export function Choices<Value extends string>({ label, value, options, onChange, ...rest }: ChoicesProps<Value>) {
  return (
    <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value as Value)} {...rest}>
      {options.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  );
}

/** The project that something belongs to: one of those the reader can see, or, for admins, the platform. */
export function ProjectChoice({ projects, isAdmin, value, onChange }: { projects: string[]; isAdmin: boolean; value: string; onChange: (value: string) => void }) {
  const options: [string, string][] = projects.map((slug) => [slug, slug]);
  return (
    <Field name="Project">
      <Choices value={value} options={isAdmin ? [["", "the platform, for all projects"], ...options] : options} onChange={onChange} />
    </Field>
  );
}

/** Why the last change was refused, if it was. */
export function Fault({ text }: { text: string | null }) {
  if (text === null) return null;
  return (
    <p className="banner" role="alert">
      {text}
    </p>
  );
}
