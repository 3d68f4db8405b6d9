"""Finds secrets and personal data in a text by their shape: addresses, tokens, numbers."""

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import NamedTuple

from ingest.errors.scrubbing.numbers import cards, classes, ibans
from ingest.errors.scrubbing.spans import CARD, EMAIL, IBAN, SECRET, Span

_LOCAL_REVERSED = re.compile(r"[\w.!#$%*+^{}~-]{1,64}")
_DOMAIN = re.compile(r"(?:[^\W_][\w%-]{0,62}\.){1,8}[^\W\d_][^\W_]{1,24}(?![\w-])")
_VERSION = re.compile(r"v?[0-9]+\.[0-9]")
_AT_SIGNS = ("@", "%40", "\\u0040", "&#64;")
_DOMAIN_END = 300

_USERINFO = re.compile(r"[^\s/?#\"'<>`\\\x1f]{1,512}@")
_SLASHED_USERINFO = re.compile(
    r"[^\s/?#\"'<>`@:\x1f]{0,128}:(?![0-9]{1,5}(?:[/?#\s]|$))[^\s\"'<>@\x1f]{1,256}@"
)

# Every character of a token is an x, others are spaces.
_TOKEN_CHARACTERS = bytes(
    ord("x") if chr(code).isascii() and (chr(code).isalnum() or chr(code) in "_-") else ord(" ")
    for code in range(256)
)
_SHORTEST_TOKEN = b"x" * 18
# The shapes that issuers document for their tokens.
_TOKEN = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{22,}|gl(?:pat|dt|rt|ptt|cbt|ft|soat)-[\w-]{18,}"
    r"|xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9]{16,}|sk-[\w-]{18,}"
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Za-z0-9])|AIza[\w-]{30,}|GOCSPX-[\w-]{20,}"
    r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|hf_[A-Za-z0-9]{30,}|do[opr]_v1_[a-f0-9]{40,}"
    r"|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp|csp)-[\w-]{20,}|EAAA[\w-]{50,}"
    r"|PMAK-[A-Za-z0-9-]{40,}|lin_api_[A-Za-z0-9]{30,}|dckr_pat_[\w-]{20,}"
    r"|sntry[su]_[\w-]{20,}|eyJ[\w-]{14,}"
    r")"
)
_DOTTED_STARTS = ("ya29.", "SG.", "hvs.")
_FURTHER_PARTS = re.compile(r"(?:\.[\w-]{0,8192}){1,4}")
_SCHEMES = re.compile(r"[ \t]{1,4}([A-Za-z0-9._~+/=-]{8,4096})")
_PRIVATE_KEY = "PRIVATE KEY"
_LONGEST_KEY = 16_384


class Shaped(NamedTuple):
    """A span whose shape alone says what it is, and the value in it that is a secret."""

    span: Span
    value: str


def shaped(text: str, lower: str) -> Iterator[Shaped]:
    """All that is found by shape; `lower` is the text in lower case, of the same length."""
    if "://" in text:
        yield from _userinfo(text)
    for sign in _AT_SIGNS:
        if sign in lower:
            yield from _emails(text, lower, sign)
    yield from _tokens(text)
    for scheme in ("bearer ", "basic "):
        if scheme in lower:
            yield from _credentials(text, lower, scheme)
    if _PRIVATE_KEY in text:
        yield from _private_keys(text)
    shape = classes(text)
    for start, end in cards(text, shape):
        yield Shaped((start, end, CARD), text[start:end])
    for start, end in ibans(text, shape):
        yield Shaped((start, end, IBAN), text[start:end])


def _emails(text: str, lower: str, sign: str) -> Iterator[Shaped]:
    at = lower.find(sign)
    while at >= 0:
        after = at + len(sign)
        local = _LOCAL_REVERSED.match(text[max(0, at - 64) : at][::-1])
        domain = _DOMAIN.match(text, after, after + _DOMAIN_END)
        if local and domain and _is_email(local.group()[::-1], domain, text):
            start = at - local.end()
            yield Shaped((start, domain.end(), EMAIL), text[start : domain.end()])
        at = lower.find(sign, after)


def _is_email(local: str, domain: re.Match[str], text: str) -> bool:
    """False for `git@host:path`, and for a package and its version."""
    if local == "git" and text[domain.end() : domain.end() + 1] in (":", "/"):
        return False
    return not _VERSION.match(domain.group())


def _userinfo(text: str) -> Iterator[Shaped]:
    at = text.find("://")
    while at >= 0:
        start = at + 3
        match = _USERINFO.match(text, start) or _SLASHED_USERINFO.match(text, start)
        if match:
            value = match.group()[:-1]
            if value not in ("git", SECRET, EMAIL):
                user, _, password = value.partition(":")
                yield Shaped((start, match.end() - 1, SECRET), password or user)
        at = text.find("://", start)


def _tokens(text: str) -> Iterator[Shaped]:
    """Tokens in the long words of a text."""
    shape = text.encode("latin-1", "replace").translate(_TOKEN_CHARACTERS)
    at = shape.find(_SHORTEST_TOKEN)
    while at >= 0:
        end = shape.find(b" ", at)
        end = len(shape) if end < 0 else end
        yield from _tokens_in(text, at, end)
        at = shape.find(_SHORTEST_TOKEN, end)


def _tokens_in(text: str, start: int, end: int) -> Iterator[Shaped]:
    """Tokens in one long word, with what follows them after dots."""
    before = text[max(0, start - 5) : start]
    for dotted in _DOTTED_STARTS:
        if before.endswith(dotted):
            yield _token(text, start - len(dotted), end)
    for match in _TOKEN.finditer(text, start, end):
        further = match.end() == end and text[end : end + 1] == "."
        if further or not match.group().startswith("eyJ"):
            yield _token(text, match.start(), match.end())


def _token(text: str, start: int, end: int) -> Shaped:
    further = _FURTHER_PARTS.match(text, end)
    end = further.end() if further else end
    return Shaped((start, end, SECRET), text[start:end])


def _credentials(text: str, lower: str, scheme: str) -> Iterator[Shaped]:
    """What follows `Bearer` or `Basic`, if it is no word."""
    at = lower.find(scheme)
    while at >= 0:
        end = at + len(scheme) - 1
        match = _SCHEMES.match(text, end)
        if match and _is_credential(match.group(1), scheme):
            yield Shaped((match.start(1), match.end(1), SECRET), match.group(1))
        at = lower.find(scheme, end)


def _is_credential(value: str, scheme: str) -> bool:
    if scheme == "bearer ":
        return any(character.isdigit() for character in value)
    try:
        return b":" in b64decode(value, validate=True)
    except ValueError:
        return False


def _private_keys(text: str) -> Iterator[Shaped]:
    """Keys in PEM, to their end or that of the text."""
    at = text.find("-----BEGIN ")
    while at >= 0:
        if _PRIVATE_KEY in text[at : at + 60]:
            limit = text.find("\x1f", at, at + _LONGEST_KEY)
            limit = min(len(text), at + _LONGEST_KEY) if limit < 0 else limit
            end = text.find("-----END ", at, limit)
            closing = text.find("KEY-----", end, limit) if end >= 0 else -1
            end = closing + 8 if closing >= 0 else limit
            yield Shaped((at, end, SECRET), "")
        at = text.find("-----BEGIN ", at + 11)
