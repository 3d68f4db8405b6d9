// Asks once more before something is done that cannot be taken back.
import { type ReactNode, useId, useRef } from "react";

import "../design/forms.css";

type Question = { text: string; question: ReactNode; onConfirm: () => void };

/** A dialog, and the function that opens it. */
export function useConfirm({ text, question, onConfirm }: Question) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  const answer = (isYes: boolean) => {
    box.current?.close();
    if (isYes) onConfirm();
  };
  const dialog = (
    <dialog ref={box} aria-labelledby={id}>
      <div id={id}>{question}</div>
      <div className="buttons">
        <button type="button" className="danger" onClick={() => answer(true)}>
          {text}
        </button>
        <button type="button" onClick={() => answer(false)}>
          Cancel
        </button>
      </div>
    </dialog>
  );
  return { ask: () => box.current?.showModal(), dialog };
}

/** A button that asks. */
export function ConfirmButton({ isBusy, ...about }: Question & { isBusy: boolean }) {
  const { ask, dialog } = useConfirm(about);
  return (
    <>
      <button type="button" disabled={isBusy} onClick={ask}>
        {about.text}
      </button>
      {dialog}
    </>
  );
}
