// A button that asks once more before it does what cannot be taken back.
import { useId, useRef } from "react";

import "../design/forms.css";

type Props = { text: string; question: string; isBusy: boolean; onConfirm: () => void };

export function ConfirmButton({ text, question, isBusy, onConfirm }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const answer = (isYes: boolean) => {
    dialog.current?.close();
    if (isYes) onConfirm();
  };
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => dialog.current?.showModal()}>
        {text}
      </button>
      <dialog ref={dialog} aria-labelledby={id}>
        <p id={id}>{question}</p>
        <div className="buttons">
          <button type="button" className="danger" onClick={() => answer(true)}>
            {text}
          </button>
          <button type="button" onClick={() => answer(false)}>
            Cancel
          </button>
        </div>
      </dialog>
    </>
  );
}
