"""Finds card numbers (Luhn) and IBANs (modulus 97) among other numbers."""

import re
from collections.abc import Iterator

from ingest.errors.scrubbing.names import word_set

Span = tuple[int, int]

# Every character as its class, one byte each: letters A, digits 0, separators -, others a dot.
_CLASSES = bytes(
    ord("A") if chr(code).isalpha() and code < 128
    else ord("0") if chr(code) in "0123456789"
    else ord("-") if chr(code) in " -+"
    else ord(".")
    for code in range(256)
)  # fmt: skip
_CARD = re.compile(
    r"[0-9]{4}(?:[0-9]{9,15}|([ +-])(?:[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:\1[0-9]{3})?"
    r"|[0-9]{6}\1[0-9]{4,5}))(?![0-9A-Za-z]|\.[0-9])"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# First digits and lengths of the card networks.
_NETWORKS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5[1-5]\d{14}|2(?:2[2-9]|[3-6]\d|7[01]|720)\d{12,13}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|6(?:011|4[4-9]\d|5\d\d)\d{12}|62\d{14,17}|(?:50|5[6-8]|6\d)\d{11,17}"
)
_IBANS = word_set(
    "AD:24 AE:23 AL:28 AT:20 AZ:28 BA:20 BE:16 BG:22 BH:22 BI:27 BR:29 BY:28 CH:21 CR:22"
    " CY:28 CZ:24 DE:22 DJ:27 DK:18 DO:28 EE:20 EG:29 ES:24 FI:18 FK:18 FO:18 FR:27 GB:22"
    " GE:22 GI:23 GL:18 GR:27 GT:28 HR:21 HU:28 IE:22 IL:23 IQ:23 IS:26 IT:27 JO:30 KW:30"
    " KZ:20 LB:28 LC:32 LI:21 LT:20 LU:20 LV:21 LY:25 MC:27 MD:24 ME:22 MK:19 MN:20 MR:27"
    " MT:31 MU:30 NI:28 NL:18 NO:15 OM:23 PK:24 PL:28 PS:29 PT:25 QA:29 RO:24 RS:22 RU:33"
    " SA:24 SC:31 SD:18 SE:24 SI:19 SK:24 SM:27 SO:23 ST:25 SV:28 TL:23 TN:24 TR:26 UA:29"
    " VA:22 VG:24 XK:20 YE:30"
)
_IBAN_LENGTHS = {one[:2]: int(one[3:]) for one in _IBANS}


def classes(text: str) -> bytes:
    """The class of every character, at the same position."""
    return text.encode("latin-1", "replace").translate(_CLASSES)


def cards(text: str, shape: bytes) -> Iterator[Span]:
    """The spans of card numbers; `shape` is the text's classes."""
    at = shape.find(b"0000")
    while at >= 0:
        end = _card_at(text, shape, at)
        if end:
            yield at, end
        rest = end or _run_end(shape, at)
        at = shape.find(b"0000", rest)


def _card_at(text: str, shape: bytes, start: int) -> int:
    """The end of the card number that begins here, or 0."""
    if start and (shape[start - 1] in b"A0" or _is_fraction(text, start)):
        return 0
    match = _CARD.match(text, start)
    if match is None or not is_card(match.group()) or _in_uuid(text, start):
        return 0
    return match.end()


def _is_fraction(text: str, start: int) -> bool:
    return start > 1 and text[start - 1] == "." and text[start - 2].isdigit()


def _in_uuid(text: str, start: int) -> bool:
    begin = max(0, start - 36)
    return any(
        found.start() <= start < found.end() for found in _UUID.finditer(text, begin, start + 40)
    )


def _run_end(shape: bytes, start: int) -> int:
    """The end of the run of digits; at least one further."""
    end = start + 4
    while end < len(shape) and shape[end] == 48:
        end += 1
    return end


def is_card(text: str) -> bool:
    """Whether digits, with or without separators, are a card number of a known network."""
    digits = "".join(character for character in text if character not in " +-")
    return (
        12 < len(digits) < 20
        and _NETWORKS.fullmatch(digits) is not None
        and len(set(digits)) > 1
        and _luhn(digits)
    )


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def ibans(text: str, shape: bytes) -> Iterator[Span]:
    """The spans of IBANs; `shape` is the text's classes."""
    at = shape.find(b"AA00")
    while at >= 0:
        if not (at and shape[at - 1] in b"A0") and (end := _iban_at(text, at)):
            yield at, end
            at = end - 1
        at = shape.find(b"AA00", at + 1)


def _iban_at(text: str, start: int) -> int:
    """The end of the IBAN that begins here, or 0."""
    length = _IBAN_LENGTHS.get(text[start : start + 2].upper())
    if length is None:
        return 0
    characters: list[str] = []
    for place in range(start, min(len(text), start + length + length // 4 + 1)):
        character = text[place]
        if character.isascii() and character.isalnum():
            characters.append(character)
            if len(characters) == length:
                ended = place + 1 == len(text) or not text[place + 1].isalnum()
                return place + 1 if ended and is_iban("".join(characters)) else 0
        elif character not in " -+" or text[place - 1] in " -+":
            return 0
    return 0


def is_iban(text: str) -> bool:
    """Whether letters and digits without separators pass the checksum of IBANs."""
    moved = text[4:] + text[:4]
    return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
