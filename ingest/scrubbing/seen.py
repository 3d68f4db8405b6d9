"""Values seen in secret places, and where else in an event they are, in whichever encoding."""

import html
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from enum import IntEnum
from urllib.parse import quote, quote_plus, unquote_plus

from ingest.scrubbing.found import Found
from ingest.scrubbing.names import word_set
from storage.names import clean_text

# Further values are removed where they were seen, and elsewhere only if they are a whole text.
MAX_VALUES = 300
_LONGEST = 4_096
_SHORTEST_ENCODED = 8
_QUOTED = re.compile(r"[bBuUrR]?(['\"`])(.*)\1", re.DOTALL)
_COOKIE = re.compile(r"[^=;,\s]{1,200}=\"?([^;,\s\"]{1,4096})")
_MARKER = re.compile(r"\[[a-zA-Z]{2,8}(?:: [^\]]{0,60})?\]|user:[0-9a-f]{16}")
_PLACEHOLDER = re.compile(r"%s|%\(|\{\}|\{0|\$\{|\{\{|\[secret\]|0x")
# Frequent values of fields with secret names; also words that many texts have.
_ORDINARY = word_set(
    "anonymous authenticated authentication authorization basic bearer changeme changed default"
    " disabled enabled example expired incorrect invalid localhost missing none null optional"
    " password passwords postgres postgresql required secret string testing undefined unknown"
    " username administrator database production staging development deployment filtered redacted"
    " credentials token tokens session sessions cookie cookies value exception error message"
    " function request response application javascript python browser"
)


class Strength(IntEnum):
    """How surely a value means the same secret wherever it is."""

    NONE = 0  # short or ordinary: removed in its place only
    WORD = 1  # removed elsewhere as a whole word
    ANYWHERE = 2  # removed elsewhere also inside of words


def strength(value: str) -> Strength:
    """How surely a value is the same secret wherever it is."""
    length = len(value)
    if length < 6 or value.lower() in _ORDINARY or _MARKER.fullmatch(value):
        return Strength.NONE
    if _PLACEHOLDER.search(value):
        return Strength.NONE
    digit, letter = any(map(str.isdigit, value)), any(map(str.isalpha, value))
    if digit and letter:
        return Strength.ANYWHERE if length >= 8 else Strength.WORD
    if digit:
        return Strength.WORD if length >= 8 else Strength.NONE
    lower, upper = any(map(str.islower, value)), any(map(str.isupper, value))
    classes = lower + upper + (not value.isalnum())
    if length >= 20 or (length >= 8 and classes == 3):
        return Strength.ANYWHERE
    return Strength.WORD if length >= 8 or classes > 1 else Strength.NONE


def is_distinct(value: str) -> bool:
    """Whether a value means the same wherever it is."""
    return strength(value) is Strength.ANYWHERE


class Seen:
    """The values to remove everywhere, each with the marker that takes its place.

    `protected` are values of the event's own fields, which a value that is only a WORD leaves.
    """

    def __init__(self, protected: frozenset[str]) -> None:
        self._protected = protected
        self._values: dict[str, tuple[Strength, str]] = {}
        self._tried = set[tuple[str, Strength]]()
        self.beyond_limit: dict[str, str] = {}

    def add(self, value: str, marker: str, least: Strength = Strength.WORD) -> None:
        """Takes in a value as it was written, with the parts it is made of.

        Values that are less surely a secret than `least` are passed over.
        """
        if len(value) > _LONGEST or (value, least) in self._tried or _MARKER.fullmatch(value):
            return
        self._tried.add((value, least))
        for part in map(clean_text, _parts(value)):
            found = strength(part)
            if found < least or (found is Strength.WORD and part in self._protected):
                continue
            if len(self._values) < MAX_VALUES:
                self._values.setdefault(part, (found, marker))
            elif part not in self._values:
                self.beyond_limit.setdefault(part, marker)

    def add_cookies(self, value: str, marker: str) -> None:
        """Takes in the values of a Cookie header."""
        for cookie in _COOKIE.findall(value):
            self.add(cookie, marker, Strength.ANYWHERE)

    def finder(self) -> Callable[[str], Iterator[Found]]:
        """Returns what finds the values in a text, as they are and encoded."""
        each = self._values.items()
        forms = [(form, *about) for value, about in each for form in _forms(value)]

        def find(text: str) -> Iterator[Found]:
            for form, surely, marker in forms:
                at = text.find(form)
                while at >= 0:
                    end = at + len(form)
                    around = text[at - 1 : at] + "." + text[end : end + 1]
                    if surely is Strength.ANYWHERE or not any(map(str.isalnum, around)):
                        yield Found(at, end, marker)
                    at = text.find(form, end)

        return find


def _parts(value: str) -> Iterator[str]:
    """The value, what its quotes enclose, what it decodes to, and the words of a header."""
    value = value.strip()
    yield value
    if quoted := _QUOTED.fullmatch(value):
        value = quoted[2]
        yield value
        yield value.replace("\\'", "'").replace('\\"', '"').replace("\\\\", "\\")
    if "%" in value or "+" in value:
        yield unquote_plus(value)
    try:
        if "\\" in value:
            yield str(json.loads(f'"{value}"'))
    except ValueError:
        pass
    words = value.split() if " " in value else []
    if len(words) == 2:  # as in `Basic …`
        yield words[1]
        yield from _of_basic(words[1])


def _of_basic(value: str) -> Iterator[str]:
    """The password of HTTP basic authentication."""
    try:
        decoded = b64decode(value, validate=True).decode()
    except ValueError:
        return
    if ":" in decoded:
        yield decoded.partition(":")[2]
        yield decoded


def _forms(value: str) -> Iterator[str]:
    """The value as it is written in texts, URLs, JSON, HTML and base64."""
    yield value
    if not (value.isascii() and value.isalnum()):
        yield from _escaped(value)
    if len(value) >= _SHORTEST_ENCODED:
        yield from _in_base64(value.encode("utf-8", "replace"))


def _escaped(value: str) -> set[str]:
    written = {quote(value, safe=""), quote(value), quote_plus(value), html.escape(value)}
    written.add(repr(value)[1:-1])
    for escaped in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        written |= {escaped, json.dumps(escaped)[1:-1], escaped.replace("/", "\\/")}
    return written - {value}


def _in_base64(value: bytes) -> Iterator[str]:
    """What base64 makes of the value at each of the three offsets within a longer text."""
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + value)
        core = encoded[-(-8 * offset // 6) : (offset + len(value)) * 8 // 6].decode()
        yield core
        if "+" in core or "/" in core:
            yield core.replace("+", "-").replace("/", "_")
