"""A project's own patterns of secrets: literal text with `*` and `#`, found in linear time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_END = re.compile(r"[\s\x1f]")
_FEWEST_LITERALS = 3
_LONGEST_WORD = 1_000


@dataclass(frozen=True, slots=True)
class Pattern:
    """Pieces that follow each other within a word; between them stands anything."""

    pieces: tuple[re.Pattern[str], ...]
    opens: bool  # begins with `*`
    closes: bool  # ends with `*`

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where the pattern is in a text."""
        at = limit = 0
        while match := self.pieces[0].search(text, at):
            if match.end() > limit:
                limit = _word_end(text, match.end())
            end = self._end(text, match.end(), limit)
            if end:
                yield (_word_start(text, match.start()) if self.opens else match.start()), end
            at = max(match.end(), end)

    def _end(self, text: str, end: int, limit: int) -> int:
        """The end of the match whose first piece ends here, or 0."""
        for piece in self.pieces[1:]:
            match = piece.search(text, end, limit)
            if match is None:
                return 0
            end = match.end()
        return limit if self.closes else end


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> Pattern:
    """The pattern of a rule; raises ValueError if it says too little to be one."""
    if wrong := wrong_pattern(pattern):
        raise ValueError(wrong)
    pieces = [piece for piece in pattern.split("*") if piece]
    return Pattern(
        tuple(re.compile(_literal(piece)) for piece in pieces),
        pattern.startswith("*"),
        pattern.endswith("*"),
    )


def wrong_pattern(pattern: str) -> str | None:
    """Why a text cannot be a pattern, else None."""
    first = pattern.lstrip("*").split("*")[0]
    if len(first.replace("#", "").strip()) < _FEWEST_LITERALS and first.count("#") < 6:
        return "needs at least 3 literal characters, or 6 `#`, before a `*`"
    if not pattern.isprintable() or len(pattern) > 200:
        return "must be a printable text of at most 200 characters"
    return None


def _literal(piece: str) -> str:
    """An expression of a fixed length."""
    return "".join("[0-9]" if sign == "#" else re.escape(sign) for sign in piece)


def _word_end(text: str, at: int) -> int:
    match = _END.search(text, at, at + _LONGEST_WORD)
    return match.start() if match else min(len(text), at + _LONGEST_WORD)


def _word_start(text: str, at: int) -> int:
    before = text[max(0, at - _LONGEST_WORD) : at]
    match = _END.search(before[::-1])
    return at - (match.start() if match else len(before))
