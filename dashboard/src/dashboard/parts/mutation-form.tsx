// A form that sends one mutation, declared by its fields; it may ask once more before.
import { type FormEvent, type ReactNode, useState } from "react";

import type { Text } from "../../../generated/graphql";
import { type Done, useMutation } from "./acting";
import { useConfirm } from "./confirm";
import { type Control, Controls, givenOf, type Values } from "./controls";
import { Fault } from "./form";

type Props<Data extends Done, Input> = {
  mutation: Text<Data, { input: Input }>;
  controls: readonly Control<keyof Input & string>[];
  /** What the mutation takes beside the fields. */
  fixed: Partial<Input>;
  first?: Values;
  /** Whether it changes something: only the fields that differ from the first values are sent, and they stay. */
  isChange?: boolean;
  submit: string;
  /** What is asked before it is sent, of the values in the fields. */
  question?: (values: Values) => ReactNode;
  onDone: (data: Data, values: Values) => void;
};

export function MutationForm<Data extends Done, Input>({ mutation, controls, fixed, first = {}, isChange = false, submit, question, onDone }: Props<Data, Input>) {
  const [values, setValues] = useState(first);
  const { run, isBusy, fault } = useMutation(() => undefined);
  const send = async () => {
    const sent = controls.filter(({ name }) => !isChange || values[name] !== first[name]);
    const data = await run(mutation, { input: { ...givenOf(sent, values), ...fixed } as Input });
    if (data === null) return;
    if (!isChange) setValues(first);
    onDone(data, values);
  };
  const confirm = useConfirm({ text: submit, question: question?.(values), onConfirm: () => void send() });
  const take = (event: FormEvent) => {
    event.preventDefault();
    if (question) confirm.ask();
    else void send();
  };
  return (
    <form className="form" onSubmit={take}>
      <Controls controls={controls} values={values} onChange={setValues} />
      <div className="whole buttons">
        <button type="submit" className="primary" disabled={isBusy}>
          {submit}
        </button>
        {isBusy && <span role="status">Working …</span>}
        <Fault text={fault} />
      </div>
      {question && confirm.dialog}
    </form>
  );
}
