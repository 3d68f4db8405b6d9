"""The texts of an event, searched as one."""

from collections.abc import Callable, Iterable
from enum import IntEnum, auto
from typing import Any

from ingest.scrubbing.found import MARKER, SEPARATOR, Found, replaced
from storage.names import clean_text

MAX_TEXT_LENGTH = 10_000
MAX_TOTAL_LENGTH = 250_000
TOO_LARGE = "[cut: the event is too large]"
# What is longer than a limit by less than this stays whole, so that a cut text is not cut again.
_SLACK = 64
# Read beyond the limit, so that a secret across it is found.
_AHEAD = 1_000
_LONGEST_KNOWN = 300
_MOST_KNOWN = 3_000


class Group(IntEnum):
    """How a text is read."""

    PROSE = auto()
    CODE = auto()  # source text, in which what is not quoted is an expression
    QUERY = auto()  # prose whose names are those of a URL's parameters
    PACKAGES = auto()  # prose; names are those of packages, and are no reason to remove versions
    NAMES = auto()


Find = Callable[[str, Group], Iterable[Found]]


class Texts:
    """The texts of an event, each with the container and the key where it belongs."""

    def __init__(self) -> None:
        prose, code = list[tuple[str, Any, Any]](), list[tuple[str, Any, Any]]()
        self.places = dict.fromkeys(Group, prose) | {Group.CODE: code}
        self.names = set[str]()
        self.renamed = dict[str, str]()
        self._cut = dict[str, int]()
        self._searched: list[tuple[Group, list[str], str, list[Found]]] = []

    def search(self, find: Find, known: dict[Group, set[str]]) -> None:
        """Searches all texts but those that are known to have nothing to be found."""
        self._limit()
        for group in (Group.PROSE, Group.CODE, Group.NAMES):
            texts = self.names if group is Group.NAMES else [one[0] for one in self.places[group]]
            clean = known[group]
            each = dict.fromkeys(texts)
            fresh = [text for text in each if text not in clean]
            joined = _joined(fresh)
            found = list(find(joined, group)) if fresh else []
            self._searched.append((group, fresh, joined, found))
            if len(fresh) < len(each):
                others = [text for text in each if text in clean]
                self._searched.append((group, others, SEPARATOR.join(others), []))
            if len(clean) > _MOST_KNOWN:
                clean.clear()
            after = replaced(joined, found).split(SEPARATOR)
            clean.update(
                text
                for text, same in zip(fresh, after, strict=False)
                if text == same and len(text) <= _LONGEST_KNOWN and text not in self._cut
            )

    def replace(self, find: Callable[[str], Iterable[Found]], whole: dict[str, str]) -> None:
        """Replaces what was found, what is found now, and texts that are known as a whole."""
        for group, texts, joined, found in self._searched:
            after = replaced(joined, [*found, *find(joined)]).split(SEPARATOR)
            changed = {
                text: self._shortened(text, whole.get(new, new))
                for text, new in zip(texts, after, strict=False)
                if text != new or text in whole or text in self._cut
            }
            if group is Group.NAMES:
                self.renamed |= changed
            elif changed:
                for text, holder, key in self.places[group]:
                    if text in changed:
                        holder[key] = changed[text]

    def _shortened(self, text: str, new: str) -> str:
        if (length := self._cut.get(text)) is None:
            return new
        return f"{new[:MAX_TEXT_LENGTH]}[cut: {length - MAX_TEXT_LENGTH} more characters]"

    def _limit(self) -> None:
        """Cuts texts that are too long, and leaves out those of an event that is too large."""
        left = MAX_TOTAL_LENGTH
        for group in (Group.PROSE, Group.CODE):
            places = self.places[group]
            lengths = [len(place[0]) for place in places]
            total = sum(lengths) + 8 * len(lengths)
            if total <= left and max(lengths, default=0) <= MAX_TEXT_LENGTH + _SLACK:
                left -= total
                continue
            kept = []
            for text, holder, key in places:
                left -= min(len(text), MAX_TEXT_LENGTH) + 8
                if left < 0:
                    holder[key] = text if MARKER.fullmatch(text) else TOO_LARGE
                    continue
                if len(text) > MAX_TEXT_LENGTH + _SLACK:
                    begin = text[: MAX_TEXT_LENGTH + _AHEAD]
                    self._cut[begin] = max(len(text), self._cut.get(begin, 0))
                    kept.append((begin, holder, key))
                else:
                    kept.append((text, holder, key))
            places[:] = kept


def _joined(texts: list[str]) -> str:
    """One text of all, without what cannot be stored."""
    joined = SEPARATOR.join(texts)
    if joined.count(SEPARATOR) >= max(1, len(texts)):
        joined = SEPARATOR.join(text.replace(SEPARATOR, " ") for text in texts)
    return joined if joined.isascii() and "\0" not in joined else clean_text(joined)
