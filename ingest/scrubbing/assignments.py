"""Finds secrets that a text names: `password=…`, `"token": "…"`, `Cookie: …`, `<secret>…`."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ingest.scrubbing.found import MARKER, MARKERS, SECRET, SEPARATOR, Found, before
from ingest.scrubbing.names import Kind, is_no_secret, word_set

_LONGEST_READ = 1_000
_BARE = r"[^\s,;&<>\"'`\x1f)}\]\\]{1,8192}"
_LINE = r"[^\r\n\"'\x1f]{1,8192}"
_SEPARATOR = re.compile(r"(:=|=>|==?|:|%3[AaDd])[ \t]{0,4}(?:\r?\n[ \t]{0,8})?")
_NAME_BACKWARDS = re.compile(r"[ \t]{0,4}\]?(?:[\"'`]\\{0,16}|22%|;touq&)?([\w.$-]{1,64})")
# Other ways to give a name and its value: an option, a part of a form, an element.
_OTHER_FORMS = (
    ("--", re.compile(rf"(?<![\w.$-])--([\w.$-]{{1,64}})[ ]({_BARE})")),
    (
        'name="',
        re.compile(
            r"name=\"([\w.$-]{1,64})\"[^\r\n\x1f]{0,200}\r?\n(?:[^\r\n\x1f]{1,200}\r?\n){0,4}\r?\n"
            rf"({_LINE})"
        ),
    ),
    ("<", re.compile(r"<(?:\w{1,64}:)?([\w.$-]{1,64})>([^<\x1f]{1,8192})(</)?")),
)
_QUOTED = re.compile(
    r"[bBuUrRfF]{0,2}(\\{0,16}[\"'`]|%22|&quot;)((?:(?!\1)(?:\\[^\x1f]|[^\x1f])){0,8192}+)"
)
_BRACKETED = re.compile(r"\[([^\]\x1f]{0,8192})|\{([^}\x1f]{0,8192})|\(([^)\x1f]{0,8192})")
_BARE_VALUE = re.compile(_BARE)
_WHOLE_LINE = re.compile(_LINE)
_CREDENTIALS = re.compile(
    r"(?:(?:Basic|Bearer|Digest|Token|Negotiate|NTLM|ApiKey|AWS4-HMAC-SHA256)[ ]{1,4})?"
    r"[^\s\"'\x1f&<>]{1,8192}",
    re.IGNORECASE,
)
_WORD_VALUES = word_set(
    "none null nil true false undefined required missing invalid incorrect wrong expired is was"
    " not must cannot has for the a an no of to in and or with str string int bool bytes optional"
    " any unexpected unknown unauthorized denied failed error mismatch"
)
_IN_CODE = (Kind.PASSWORD, Kind.TOKEN, Kind.HEADER)


class _Name(NamedTuple):
    """A name and its separator in a text."""

    start: int
    separator: str
    end: int  # where the value begins
    kind: Kind
    in_query: bool  # the name of a parameter in a URL, or the first of a form


def assigned(text: str, is_code: bool, kind_of: Callable[[str], Kind]) -> Iterator[Found]:
    """The values behind the names of secrets; in source code, those that are quoted."""
    done = 0
    for match in _SEPARATOR.finditer(text):
        if match.start() < done or not (name := before(_NAME_BACKWARDS, text, match.start(), 96)):
            continue
        word = name[1][::-1]
        kind = kind_of(word.strip("-.$"))
        if kind is Kind.PLAIN or (is_code and kind not in _IN_CODE):
            continue
        start = match.start() - name.end()
        in_query = _is_in_query(text, start, match)
        given = _Name(start, match[1], match.end(), kind, in_query)
        span = _value(text, given, is_code)
        if span and (found := _found(text, span, word, kind)):
            yield found
            # A short value is read too, for the secrets in it.
            done = found.end if found.end - found.start > _LONGEST_READ else 0
    for trigger, form in _OTHER_FORMS:
        for match in form.finditer(text) if trigger in text else ():
            kind = kind_of(match[1].strip("-.$"))
            is_type = is_code and trigger == "<" and not match[3] and not match[2][0].isalnum()
            if kind in (Kind.PLAIN, Kind.LOOSE) or is_type:
                continue  # a type is written `List<Token> `
            if found := _found(text, match.span(2), match[1], kind):
                yield found


def _found(text: str, span: tuple[int, int], name: str, kind: Kind) -> Found | None:
    value = text[slice(*span)]
    if not value or MARKER.fullmatch(value.strip()) or is_no_secret(name, value):
        return None
    return Found(*span, MARKERS.get(kind, SECRET), value, kind is Kind.HEADER)


def _is_in_query(text: str, start: int, separator: re.Match[str]) -> bool:
    previous, sign = text[start - 1] if start else SEPARATOR, separator[1]
    if previous in "?&;" or sign.lower() == "%3d":
        return True
    return previous == SEPARATOR and sign[0] == "=" and separator.end() == separator.end(1)


def _value(text: str, name: _Name, is_code: bool) -> tuple[int, int] | None:
    """The span of the value, unless it is a word of a sentence or an expression in code."""
    at = name.end
    if (name.kind is Kind.LOOSE and not name.in_query) or MARKER.match(text, at):
        return None
    if is_code:
        quoted = None if name.separator == "==" else _QUOTED.match(text, at)
        return quoted.span(2) if quoted else None
    if quoted := _QUOTED.match(text, at):
        return quoted.span(2)
    if bracketed := _BRACKETED.match(text, at):
        value = bracketed[bracketed.lastindex or 0]
        has_quotes = name.kind in _IN_CODE and ("'" in value or '"' in value)
        return bracketed.span(bracketed.lastindex or 0) if has_quotes else None
    if name.kind is Kind.HEADER and not name.in_query:
        return _header(text, at)
    bare = _BARE_VALUE.match(text, at)
    if bare is None:
        return None
    if name.in_query:
        enough = name.kind is not Kind.LOOSE or len(bare[0]) >= 16
    else:
        enough = _is_value(bare[0], name, text[bare.end() : bare.end() + 1])
    return bare.span() if enough else None


def _header(text: str, at: int) -> tuple[int, int] | None:
    """What follows the name of a header: its credentials, or all its cookies."""
    if "=" in text[at : at + 100] and text[at : at + 6].lower() != "basic ":
        line = _WHOLE_LINE.match(text, at)
        return line.span() if line else None
    match = _CREDENTIALS.match(text, at)
    if match is None or len(match[0]) < 6 or match[0].lower() in _WORD_VALUES:
        return None
    return None if match[0].isalpha() and len(match[0]) < 20 else match.span()


def _is_value(value: str, name: _Name, following: str) -> bool:
    if value.lower().strip(".!?") in _WORD_VALUES:
        return False
    if name.kind in (Kind.PASSWORD, Kind.ADDRESS, Kind.USERNAME):
        return True
    if name.separator not in (":", ":="):
        return following != "("
    return len(value) >= 6 and any(character.isdigit() for character in value)
