"""Finds secrets that a text names: `password=…`, `"token": "…"`, `Cookie: …`, `<secret>…`."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.errors.scrubbing.names import HINTS, SHORT_HINTS, Kind, is_no_secret, word_set
from ingest.errors.scrubbing.spans import ADDRESS, SECRET, USERNAME

MARKERS = {Kind.ADDRESS: ADDRESS, Kind.USERNAME: USERNAME}

_LONGEST_NAME = 64
_LONGEST_VALUE = 8_192
_LONGEST_READ = 1_000
_NAME = re.compile(r"[\w.$-]{0,64}")
_NAME_REVERSED = re.compile(r"[\w.$-]{0,64}")
_SEPARATOR = re.compile(
    r"(?:\\{0,16}[\"'`]|%22|&quot;)?\]?[ \t]{0,4}(:=|=>|==?|:|%3[AaDd])"
    r"[ \t]{0,4}(?:\r?\n[ \t]{0,8})?"
)
_FORM_PART = re.compile(r"\"[^\r\n\x1f]{0,200}\r?\n(?:[^\r\n\x1f]{1,200}\r?\n){0,4}\r?\n")
_QUOTE = re.compile(r"[bBuUrRfF]{0,2}(\\{0,16}[\"'`]|%22|&quot;)")
_BARE = re.compile(r"[^\s,;&<>\"'`\x1f)}\]\\]{1,8192}")
_LINE = re.compile(r"[^\r\n\"'\x1f]{1,8192}")
_CREDENTIALS = re.compile(
    r"(?:(?:Basic|Bearer|Digest|Token|Negotiate|NTLM|ApiKey|AWS4-HMAC-SHA256)[ ]{1,4})?"
    r"[^\s\"'\x1f&<>]{1,8192}",
    re.IGNORECASE,
)
_ELEMENT = re.compile(r"[^<\x1f]{1,8192}")
_MARKER = re.compile(r"\[(?:secret|email|card|iban|ip|user|cut: [^\]]{0,60})\]|\[Filtered\]")
_CLOSING = {"[": "]", "{": "}", "(": ")"}
_WORD_VALUES = word_set(
    "none null nil true false undefined required missing invalid incorrect wrong expired is was"
    " not must cannot has for the a an no of to in and or with str string int bool bytes optional"
    " any unexpected unknown unauthorized denied failed error mismatch"
)


class Named(NamedTuple):
    """A value that a text calls a secret."""

    start: int
    end: int
    kind: Kind
    value: str

    @property
    def marker(self) -> str:
        return MARKERS.get(self.kind, SECRET)


class Reading(NamedTuple):
    """A text, and how to read it."""

    text: str
    lower: str  # of the same length
    is_code: bool  # source text: what is not quoted is an expression
    kind_of: Callable[[str], Kind]


def assignments(reading: Reading, hints: tuple[str, ...] = ()) -> Iterator[Named]:
    """The values in a text that stand behind the name of a secret; `hints` are of own rules."""
    text = reading.text
    done = 0
    for at in sorted(set(_hits(reading, hints))):
        if at < done:
            continue
        before = _NAME_REVERSED.match(text[max(0, at - _LONGEST_NAME) : at][::-1])
        start = at - (before.end() if before else 0)
        match = _NAME.match(text, at)
        done = end = match.end() if match else at
        kind = reading.kind_of(text[start:end].strip("-.$"))
        if kind is Kind.PLAIN:
            continue
        named = _value(reading, start, end, kind)
        if named and not is_no_secret(text[start:end], named.value):
            yield named
            # A short value is read too, for the secrets in it.
            done = named.end if named.end - named.start > _LONGEST_READ else end


def _hits(reading: Reading, own: tuple[str, ...]) -> Iterator[int]:
    """Where a name might be: at each hint."""
    lower = reading.lower
    for hint in (*HINTS, *own):
        at = lower.find(hint)
        while at >= 0:
            yield at
            at = lower.find(hint, at + len(hint))
    if reading.is_code:
        return
    for hint in SHORT_HINTS:
        at = lower.find(hint)
        while at >= 0:
            end = at + len(hint)
            if lower[end : end + 1] in _AFTER_NAME:
                yield at
            at = lower.find(hint, end)


_AFTER_NAME = frozenset("=:\"'\\%>& ")


def _value(reading: Reading, start: int, end: int, kind: Kind) -> Named | None:
    text = reading.text
    in_query = _is_in_query(text, start, end)
    if kind is Kind.LOOSE and not in_query:
        return None
    if text[start - 1 : start] == "<" and text[end : end + 1] == ">":
        element = _ELEMENT.match(text, end + 1)
        return _named(element.start(), element.end(), kind, text) if element else None
    separator = _SEPARATOR.match(text, end)
    if separator is None:
        return _after_option_or_in_form(reading, start, end, kind)
    at = separator.end()
    if _MARKER.match(text, at) or (separator.group(1) == "==" and reading.is_code):
        return None
    if quote := _QUOTE.match(text, at):
        return _quoted(text, quote, kind)
    if reading.is_code:
        return None
    if text[at : at + 1] in _CLOSING:
        return _bracketed(text, at, kind)
    return _bare(reading, at, kind, separator.group(1), in_query)


def _is_in_query(text: str, start: int, end: int) -> bool:
    """Whether a name is that of a parameter in a URL, or the first of a form."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 3]
    if before in ("?", "&", ";") or after in ("%3D", "%3d"):
        return True
    return before in ("", "\x1f") and after[:1] == "=" and not after[1:2].isspace()


def _after_option_or_in_form(reading: Reading, start: int, end: int, kind: Kind) -> Named | None:
    """The value in `--password hunter2`, or in the part of a form that has this name."""
    text = reading.text
    if text[start : start + 2] == "--" and text[end : end + 1] == " ":
        match = _BARE.match(text, end + 1)
        return _named(match.start(), match.end(), kind, text) if match else None
    if text[start - 6 : start] == 'name="' and (head := _FORM_PART.match(text, end)):
        match = _LINE.match(text, head.end())
        return _named(match.start(), match.end(), kind, text) if match else None
    return None


def _named(start: int, end: int, kind: Kind, text: str) -> Named | None:
    value = text[start:end]
    return None if _MARKER.fullmatch(value.strip()) else Named(start, end, kind, value)


def _quoted(text: str, quote: re.Match[str], kind: Kind) -> Named | None:
    """The value up to the same quote, or to the end of a text that was cut."""
    mark, start = quote.group(1), quote.end()
    limit = text.find("\x1f", start, start + _LONGEST_VALUE)
    limit = min(len(text), start + _LONGEST_VALUE) if limit < 0 else limit
    at = text.find(mark, start, limit)
    while at > 0 and len(mark) == 1 and _is_escaped(text, at, start):
        at = text.find(mark, at + 1, limit)
    end = at if at >= 0 else limit
    return _named(start, end, kind, text) if end > start else None


def _is_escaped(text: str, at: int, start: int) -> bool:
    behind = text[max(start, at - 16) : at]
    return (len(behind) - len(behind.rstrip("\\"))) % 2 == 1


def _bracketed(text: str, at: int, kind: Kind) -> Named | None:
    """A list or an object in brackets, if something in it is quoted."""
    limit = min(len(text), at + _LONGEST_VALUE)
    ends = [text.find(sign, at, limit) for sign in ("\x1f", _CLOSING[text[at]])]
    end = min((end for end in ends if end >= 0), default=limit)
    value = text[at + 1 : end]
    if kind not in (Kind.PASSWORD, Kind.TOKEN, Kind.HEADER) or not ("'" in value or '"' in value):
        return None
    return _named(at + 1, end, kind, text)


def _bare(reading: Reading, at: int, kind: Kind, separator: str, in_query: bool) -> Named | None:
    """A value without quotes, unless it is a word of a sentence."""
    text = reading.text
    if kind is Kind.HEADER and not in_query:
        return _header(reading, at)
    match = _BARE.match(text, at)
    if match is None:
        return None
    value = match.group()
    if in_query:
        enough = kind is not Kind.LOOSE or len(value) >= 16
    else:
        enough = _is_value(value, kind, separator, text[match.end() : match.end() + 1])
    return _named(at, match.end(), kind, text) if enough else None


def _header(reading: Reading, at: int) -> Named | None:
    """What follows the name of a header: its credentials, or all its cookies."""
    text = reading.text
    if "=" in text[at : at + 100] and text[at : at + 6].lower() != "basic ":
        line = _LINE.match(text, at)
        return _named(at, line.end(), Kind.HEADER, text) if line else None
    match = _CREDENTIALS.match(text, at)
    if match is None or match.group().lower() in _WORD_VALUES or len(match.group()) < 6:
        return None
    if match.group().isalpha() and len(match.group()) < 20:
        return None
    return _named(at, match.end(), Kind.HEADER, text)


def _is_value(value: str, kind: Kind, separator: str, following: str) -> bool:
    if value.lower().strip(".!?") in _WORD_VALUES:
        return False
    if kind in (Kind.PASSWORD, Kind.ADDRESS, Kind.USERNAME):
        return True
    if separator in ("=", "==", "=>") or separator.startswith("%"):
        return following != "("
    return len(value) >= 6 and any(character.isdigit() for character in value)
