// A button that becomes a field for another title.
import { type FormEvent, useState } from "react";

export function RenameButton({ title, isBusy, onRename }: { title: string; isBusy: boolean; onRename: (title: string) => void }) {
  const [text, setText] = useState<string | null>(null);
  const [isBack, setIsBack] = useState(false); // the focus was in the field, and returns to the button
  const close = () => {
    setText(null);
    setIsBack(true);
  };
  if (text === null) {
    return (
      <button type="button" autoFocus={isBack} onClick={() => setText(title)}>
        Rename<span className="hidden">: {title}</span>
      </button>
    );
  }
  const rename = (event: FormEvent) => {
    event.preventDefault();
    close();
    if (text.trim() !== title) onRename(text);
  };
  return (
    <form className="buttons" onSubmit={rename} onKeyDown={(event) => event.key === "Escape" && close()}>
      <span className="choice search">
        <input aria-label="Title of the panel" required maxLength={100} autoFocus value={text} onChange={(event) => setText(event.target.value)} />
      </span>
      <button type="submit" disabled={isBusy}>
        Save
      </button>
      <button type="button" className="quiet" onClick={close}>
        Cancel
      </button>
    </form>
  );
}
