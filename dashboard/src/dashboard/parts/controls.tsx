// Fields of a form as data: what each is called, what it takes, and the values that a mutation gets from them.
import { Choices, Field } from "./form";

export type Control<Name extends string = string> = {
  name: Name;
  label: string;
  hint?: string;
  /** `words` takes a list with commas or spaces between, `lines` one with a line for each. */
  type?: "text" | "url" | "email" | "password" | "number" | "check" | "words" | "lines" | "choice";
  isOptional?: boolean;
  /** Whether an empty text is sent, as it ends what was set; else it is left out. */
  sendsEmpty?: boolean;
  /** The longest text, or the greatest number. */
  most?: number;
  options?: readonly (readonly [value: string, text: string])[];
};

/** What stands in the fields, by their names; a check is `true` or empty. */
export type Values = Record<string, string>;

/** The values as a mutation takes them; an empty text is left out. */
export function givenOf(controls: readonly Control[], values: Values): Record<string, unknown> {
  return Object.fromEntries(
    controls.flatMap(({ name, type, sendsEmpty }): [string, unknown][] => {
      const text = (values[name] ?? "").trim();
      if (type === "check") return [[name, text === "true"]];
      if (type === "words") return [[name, text.split(/[\s,;]+/).filter(Boolean)]];
      if (type === "lines") return [[name, text.split("\n").map((line) => line.trim()).filter(Boolean)]];
      if (text === "" && !sendsEmpty) return [];
      return [[name, type === "number" ? Number(text) : text]];
    }),
  );
}

/** The texts of fields that show what is set: the other way round. */
export function valuesOf(controls: readonly Control[], set: Record<string, unknown>): Values {
  return Object.fromEntries(
    controls.map(({ name, type }) => {
      const value = set[name] ?? "";
      return [name, Array.isArray(value) ? value.join(type === "lines" ? "\n" : ", ") : String(value)];
    }),
  );
}

type Props = { controls: readonly Control[]; values: Values; onChange: (values: Values) => void };

export function Controls({ controls, values, onChange }: Props) {
  return controls.map((control) => <One key={control.name} control={control} value={values[control.name] ?? ""} onChange={(value) => onChange({ ...values, [control.name]: value })} />);
}

function One({ control: { label, hint, type = "text", isOptional, most, options = [] }, value, onChange }: { control: Control; value: string; onChange: (value: string) => void }) {
  if (type === "check") {
    return (
      <label className="check">
        <input type="checkbox" checked={value === "true"} onChange={(event) => onChange(String(event.target.checked))} />
        {label}
      </label>
    );
  }
  const isRequired = !isOptional && type !== "words" && type !== "lines";
  return (
    <Field name={label} {...(hint === undefined ? {} : { hint })}>
      {type === "choice" ? (
        <Choices value={value} options={options} onChange={onChange} />
      ) : type === "lines" ? (
        <textarea rows={3} value={value} onChange={(event) => onChange(event.target.value)} />
      ) : (
        <input
          type={type === "words" ? "text" : type}
          autoComplete="off"
          required={isRequired}
          {...(type === "number" ? { min: 1, max: most } : { maxLength: most })}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
