// A button that becomes a field for another title.
import { type FormEvent, useState } from "react";

export function RenameButton({ title, isBusy, onRename }: { title: string; isBusy: boolean; onRename: (title: string) => void }) {
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    return (
      <button type="button" disabled={isBusy} onClick={() => setText(title)}>
        Rename<span className="hidden">: {title}</span>
      </button>
    );
  }
  const rename = (event: FormEvent) => {
    event.preventDefault();
    setText(null);
    if (text.trim() !== title) onRename(text);
  };
  return (
    <form className="buttons" onSubmit={rename} onKeyDown={(event) => event.key === "Escape" && setText(null)}>
      <span className="choice search">
        <input aria-label="Title of the panel" required maxLength={100} autoFocus value={text} onChange={(event) => setText(event.target.value)} />
      </span>
      <button type="submit">Save</button>
      <button type="button" className="quiet" onClick={() => setText(null)}>
        Cancel
      </button>
    </form>
  );
}
