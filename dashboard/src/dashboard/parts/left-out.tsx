// Which of the page's filters some figures cannot have.
import type { Dimension, View } from "../address/view";

type Props = { things: string; lack: readonly Dimension[]; view: View };

/** Says so where the reader filters by something that these things do not have. */
export function LeftOut({ things, lack, view }: Props) {
  const unused = lack.filter((one) => view.value(one) !== "");
  if (unused.length === 0) return null;
  return (
    <p className="notice" role="status">
      {`${things} have no ${unused.join(" and no ")}: that filter is left out.`}
    </p>
  );
}
