// The values at the cursor of a chart.
import type { Series } from "./shapes";

type Props = {
  title: string;
  isOpen: boolean;
  rows: (Series & { text: string })[];
  notes: string[];
  x: number;
  width: number;
};

export function Tip({ title, isOpen, rows, notes, x, width }: Props) {
  const side = x > width / 2 ? { right: `${width - x + 12}px` } : { left: `${x + 12}px` };
  return (
    <div className="tip" style={side} role="status">
      <p>
        {title}
        {isOpen && " · still running"}
      </p>
      <ul>
        {rows.map(({ name, tone, kind, text }) => (
          <li key={name}>
            <span className={`swatch ${kind} tone-${tone}`} aria-hidden="true" />
            {name} <strong>{text}</strong>
          </li>
        ))}
        {notes.map((note, index) => (
          <li key={index} className="note">
            {note}
          </li>
        ))}
      </ul>
    </div>
  );
}
