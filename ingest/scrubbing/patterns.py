"""Finds secrets and personal data by their shape: addresses, tokens, numbers, own patterns."""

import re
from base64 import b64decode
from collections.abc import Iterator
from functools import lru_cache
from itertools import chain

from ingest.scrubbing.found import SECRET, Found, before
from ingest.scrubbing.names import word_set

_AT = tuple(map(re.compile, ("@", "%40", r"\\u0040", "&#64;")))
_LOCAL_BACKWARDS = re.compile(r"[\w.!#$%*+^{}~-]{1,64}")
_DOMAIN = re.compile(r"(?:[^\W_][\w%-]{0,62}\.){1,8}[^\W\d_][^\W_]{1,24}(?![\w-])")
_VERSION = re.compile(r"v?[0-9]+\.[0-9]")
_USERINFO = re.compile(
    r"(?<=://)(?:[^\s/?#\"'<>`\\\x1f]{1,512}|[^\s/?#\"'<>`@:\x1f]{0,128}"
    r":(?![0-9]{1,5}(?:[/?#\s]|$))[^\s\"'<>@\x1f]{1,256})(?=@)"
)
# Letters and digits, each of one kind, or what tokens are made of; anything else is a space.
_LETTERS_AND_DIGITS = re.sub(
    rb"[^A0]", b" ", re.sub(rb"[0-9]", b"0", re.sub(rb"[A-Za-z]", b"A", bytes(range(256))))
)
_TOKEN_CHARACTERS = re.sub(rb"[^x]", b" ", re.sub(rb"[\w-]", b"x", bytes(range(256))))
# How tokens begin, by what their issuers document of the rest.
_TOKENS = {
    r"[A-Za-z0-9]{20,}": "ghp_ gho_ ghu_ ghs_ ghr_",
    r"[\w-]{18,}": "glpat- gldt- glrt- glptt- glcbt- glft- glsoat- sk- ya29. SG. hvs.",
    r"[\w-]{20,}": "GOCSPX- sq0atp- sq0csp- dckr_pat_ sntrys_ sntryu_ github_pat_",
    r"[A-Za-z0-9-]{10,}": "xoxa- xoxb- xoxc- xoxd- xoxe- xoxo- xoxp- xoxr- xoxs- xoxx- xapp-",
    r"[A-Za-z0-9]{10,}": "sk_live_ sk_test_ rk_live_ rk_test_ whsec_",
    r"[A-Z0-9]{16}(?![A-Za-z0-9])": "AKIA ASIA AROA AIDA",
    r"[\w-]{30,}": "AIza pypi-",
    r"[\w-]{50,}": "EAAA",
    r"[A-Za-z0-9-]{30,}": "npm_ hf_ lin_api_ PMAK- dop_v1_ doo_v1_ dor_v1_",
    r"[a-fA-F0-9]{32}": "shpat_ shpca_ shppa_ shpss_",
    r"[\w-]{14,}": "eyJ",  # JSON in base64, which needs a second part
}
_TOKEN = re.compile(
    "(?:"
    + "|".join(
        rf"{re.escape(start)}(?:(?<![A-Za-z0-9].{{{len(start)}}})|(?<=%...{{{len(start)}}})){rest}"
        for rest, starts in _TOKENS.items()
        for start in starts.split()
    )
    + ")"
)
_WORD = re.compile(r"[\w-]+")
_FURTHER_PARTS = re.compile(r"(?:\.[\w-]{0,8192}){0,4}")
_SCHEME = re.compile(r"(?i:bearer|(basic))[ \t]{1,4}([A-Za-z0-9._~+/=-]{8,4096})")
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [^\x1f]{0,40}?PRIVATE KEY(?:(?!-----END)[^\x1f]){0,16384}"
    r"(?:-----END [^\x1f]{0,60}?KEY-----)?"
)
_CARD = re.compile(
    r"(?<![0-9]\.)[0-9]{4}(?:[0-9]{9,15}|([ +-])(?:[0-9]{4}\1[0-9]{4}"
    r"\1[0-9]{4}(?:\1[0-9]{3})?|[0-9]{6}\1[0-9]{4,5}))(?![0-9A-Za-z]|\.[0-9])",
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# First digits and lengths of the card networks.
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01]|720)\d{12,13}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}|(?:50|5[6-8]|6\d)\d{11,17}"
)
_IBAN_LENGTHS = {
    each[:2]: int(each[2:])
    for each in word_set(
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 "
        "DJ27 DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 "
        "HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 "
        "MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 "
        "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 "
        "VG24 XK20 YE30"
    )
}


def shaped(text: str) -> Iterator[Found]:
    """All that its shape alone tells."""
    userinfo = list(_USERINFO.finditer(text)) if "://" in text else []
    yield from _emails(text, {match.end() for match in userinfo})
    for match in userinfo:
        if match[0] not in ("git", SECRET, "[email]"):
            user, _, password = match[0].partition(":")
            yield Found(*match.span(), SECRET, password or user)
    for start in _starts(text, _TOKEN_CHARACTERS, b" " + 18 * b"x"):
        yield from _tokens(text, start)
    lower = text.lower()
    for match in _SCHEME.finditer(text) if "bearer" in lower or "basic" in lower else ():
        if _has_password(match[2]) if match[1] else re.search("[0-9]", match[2]):
            yield Found(*match.span(2), SECRET, match[2])
    for match in _PRIVATE_KEY.finditer(text) if "PRIVATE KEY" in text else ():
        yield Found(*match.span(), SECRET)
    for start in _starts(text, _LETTERS_AND_DIGITS, b" 0000"):
        card = _CARD.match(text, start)
        if card and is_card(card[0]) and not _in_uuid(text, start):
            yield Found(*card.span(), "[card]")
    for start in _starts(text, _LETTERS_AND_DIGITS, b" AA00"):
        if end := _iban_end(text, start):
            yield Found(start, end, "[iban]")


def _starts(text: str, classes: bytes, shape: bytes) -> Iterator[int]:
    """Where words of a shape begin; a shape begins with the space before the word."""
    shapes = b" " + text.encode("latin-1", "replace").translate(classes)
    at = shapes.find(shape)
    while at >= 0:
        yield at
        at = shapes.find(shape, at + 1)


def _tokens(text: str, start: int) -> Iterator[Found]:
    """Tokens in one long word, with what follows them after points."""
    word = _WORD.match(text, start)
    if word is None or (word[0].isalnum() and word[0].islower() and text[start - 1] != "."):
        return  # a hash, most often
    for match in _TOKEN.finditer(text, max(0, start - 5), word.end()):
        rest = _FURTHER_PARTS.match(text, match.end())
        if rest and (rest[0] or not match[0].startswith("eyJ")):
            yield Found(match.start(), rest.end(), SECRET, text[match.start() : rest.end()])


def _emails(text: str, of_urls: set[int]) -> Iterator[Found]:
    """Mail addresses; the signs in URLs end what is before a host."""
    for sign in chain.from_iterable(form.finditer(text) for form in _AT):
        if sign.start() in of_urls:
            continue
        local = before(_LOCAL_BACKWARDS, text, sign.start(), 64)
        domain = _DOMAIN.match(text, sign.end(), sign.end() + 300)
        if local is None or domain is None or _VERSION.match(domain[0]):
            continue  # a package and its version
        if local[0] == "tig" and text[domain.end() : domain.end() + 1] in (":", "/"):
            continue
        yield Found(sign.start() - local.end(), domain.end(), "[email]")


def _has_password(value: str) -> bool:
    try:
        return b":" in b64decode(value, validate=True)
    except ValueError:
        return False


def _in_uuid(text: str, start: int) -> bool:
    around = _UUID.finditer(text, max(0, start - 36), start + 40)
    return any(found.start() <= start < found.end() for found in around)


def is_card(text: str) -> bool:
    """Whether digits, with or without separators, are a card number of a known network (Luhn)."""
    digits = re.sub("[ +-]", "", text)
    if not _NETWORKS.fullmatch(digits) or len(set(digits)) == 1:
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


def _iban_end(text: str, start: int) -> int:
    """The end of the IBAN that begins here (modulus 97), or 0."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return 0
    rest = re.compile(rf"(?:[ +-]?[0-9A-Za-z]){{{length - 4}}}(?![^\W_])").match(text, start + 4)
    if rest is None:
        return 0
    digits = re.sub("[ +-]", "", rest[0]) + text[start : start + 4]
    remainder = int("".join(str(int(character, 36)) for character in digits)) % 97
    return rest.end() if remainder == 1 else 0


def wrong_pattern(pattern: str) -> str | None:
    """Why a text cannot be a project's own pattern, else None."""
    first = pattern.lstrip("*").split("*")[0]
    if len(first.replace("#", "").strip()) < 3 and first.count("#") < 6:
        return "needs at least 3 literal characters, or 6 `#`, before a `*`"
    if not pattern.isprintable() or len(pattern) > 200:
        return "must be a printable text of at most 200 characters"
    return None


@lru_cache(maxsize=1024)
def compiled(pattern: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """How a project's own pattern begins, and all of it: `*` is anything but spaces, `#` a digit.

    Each `*` goes to the first place where what follows it is, and not further.
    Raises ValueError if the pattern says too little to be one.
    """
    if wrong := wrong_pattern(pattern):
        raise ValueError(wrong)
    first, *others = pattern.strip("*").split("*")
    any_text = r"[^\s\x1f]{0,1000}"
    pieces = "".join(rf"(?>{any_text}?{_literal(other)})" for other in others)
    whole = _literal(first) + pieces + (any_text if pattern.endswith("*") else "")
    return re.compile(_literal(first)), re.compile(whole)


def _literal(piece: str) -> str:
    return "".join("[0-9]" if sign == "#" else re.escape(sign) for sign in piece)


_SPACE = re.compile(r"[\s\x1f]")
_WORD_BACKWARDS = re.compile(r"[^\s\x1f]{0,1000}")


def own(text: str, patterns: tuple[str, ...]) -> Iterator[Found]:
    """Where the patterns of a project are; one that begins with `*` takes its whole word."""
    for pattern in patterns:
        first, whole = compiled(pattern)
        at = 0
        while begin := first.search(text, at):
            match = whole.match(text, begin.start())
            if match is None:  # nor close behind in this word: many beginnings would take long
                at = begin.end()
                space = _SPACE.search(text, at, at + 100)
                at = space.start() if space else at + 100
                continue
            at = match.end()
            word = before(_WORD_BACKWARDS, text, match.start(), 1_000)
            start = match.start() - (word.end() if word and pattern.startswith("*") else 0)
            yield Found(start, at, SECRET)
