"""The texts of an event, searched as one."""

from collections.abc import Callable
from typing import Any

from ingest.errors.scrubbing.spans import SEPARATOR
from storage.names import clean_text

MAX_TEXT_LENGTH = 10_000
# What is longer than a limit by less than this stays whole, so that a cut text is not cut again.
_SLACK = 64
# Read beyond the limit, so that a secret across it is found.
_AHEAD = 1_000


class Texts:
    """Texts of an event that are searched as one, and where each of them belongs."""

    def __init__(self, are_code: bool = False, are_names: bool = False) -> None:
        self.are_code = are_code
        self.are_names = are_names
        self.joined = ""
        self.places: dict[str, list[tuple[Any, Any]]] = {}
        self._cut: dict[str, int] = {}

    def add(self, text: str, container: Any, key: Any) -> None:
        """Adds the text at a key of a container."""
        if len(text) > MAX_TEXT_LENGTH + _SLACK:
            length, text = len(text), text[: MAX_TEXT_LENGTH + _AHEAD]
            self._cut[text] = max(length, self._cut.get(text, 0))
            container[key] = text
        if (places := self.places.get(text)) is None:
            self.places[text] = [(container, key)]
        else:
            places.append((container, key))

    def join(self) -> None:
        """Makes one text of all; replaces what cannot be stored."""
        texts = list(self.places)
        joined = SEPARATOR.join(texts)
        if joined.count(SEPARATOR) != max(0, len(texts) - 1):
            texts = [text.replace(SEPARATOR, " ") for text in texts]
            joined = SEPARATOR.join(texts)
        if "\0" in joined or not joined.isascii():
            joined = clean_text(joined)
        self.joined = joined
        if self._cut or joined != SEPARATOR.join(self.places):
            self.put(joined.split(SEPARATOR))

    def put(self, texts: list[str]) -> None:
        """Puts the texts in the places of the earlier ones, in the same order."""
        if not self.places:
            return
        for (before, places), text in zip(self.places.items(), texts, strict=True):
            if before in self._cut:
                after = cut_text(text, self._cut[before])
            elif text == before:
                continue
            else:
                after = text
            for container, key in places:
                container[key] = after

    def replace_whole(self, marker_of: Callable[[str], str | None]) -> None:
        """Replaces texts that are as a whole what a function knows."""
        for text, places in self.places.items():
            if marker := marker_of(text):
                for container, key in places:
                    container[key] = marker


def cut_text(text: str, length: int) -> str:
    """The beginning of a text, and how much of its length is missing."""
    return f"{text[:MAX_TEXT_LENGTH]}[cut: {length - MAX_TEXT_LENGTH} more characters]"
