// A word with a sign of its own, so that colour is not all there is to tell states apart.
import type { Tone, Word } from "../format/words";

const SIGNS: Record<Tone, string> = { good: "✓", bad: "✕", warn: "!", busy: "◔", quiet: "·" };

export function Badge({ word }: { word: Word }) {
  return (
    <span className={`badge tone-${word.tone}`}>
      <span aria-hidden="true">{SIGNS[word.tone]}</span> {word.text}
    </span>
  );
}
