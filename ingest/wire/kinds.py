"""The kinds of fields: how a sender's value is read, and how a stored one is written again."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import Any

import orjson

from ingest.events import (
    MAX_ATTRIBUTES_BYTES,
    MAX_ATTRIBUTES_DEPTH,
    MAX_ERROR_LENGTH,
    MAX_ID_LENGTH,
    Code,
)
from ingest.times import MAX_DURATION, read_time
from storage.names import MAX_NAME_LENGTH, OTHER_NAME, clean_text, wrong_name

_MAX_WORD_LENGTH = 64
_MAX_DURATION_MS = MAX_DURATION.total_seconds() * 1000
_SMALLEST_INTEGER = -(2**63)
_LARGEST_INTEGER = 2**64 - 1
_LABEL_NAME = re.compile("[A-Za-z_][A-Za-z0-9_.-]{0,63}").fullmatch
# The largest integer that a column holds.
MAX_INTEGER = 2**63 - 1


class FieldError(Exception):
    """A field that is missing or whose value is wrong; `inside` is the path within the value.

    Kinds know neither the field nor the name that is `given` to it in the event.
    """

    def __init__(self, code: Code, message: str, field: Any = None, inside: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field
        self.given = ""
        self.inside = inside


@dataclass(frozen=True, slots=True)
class Kind(ABC):
    """A kind of field."""

    @abstractmethod
    def read(self, value: Any) -> Any:
        """The clean value, or None if it is blank; raises FieldError."""

    def written(self, column: str) -> str:
        """SQL that turns the stored value into one that is read as the same."""
        return column


@dataclass(frozen=True, slots=True)
class Name(Kind):
    """A single-line text, stored as sent; control characters are invalid."""

    limit: int = MAX_NAME_LENGTH
    lower: bool = False

    def read(self, value: Any) -> str | None:
        if type(value) is not str:
            raise FieldError(Code.INVALID_VALUE, "must be a text")
        value = value.strip()
        is_fine = value.isprintable() and len(value) <= self.limit
        if not is_fine and (wrong := wrong_name(value, self.limit)):
            code, message = wrong
            raise FieldError(Code(code), message)
        return (value.lower() if self.lower else value) or None


@dataclass(frozen=True, slots=True)
class Identifier(Name):
    """A name that may also be a whole number."""

    limit: int = MAX_ID_LENGTH

    def read(self, value: Any) -> str | None:
        if type(value) is int:
            value = str(value) if abs(value) <= _LARGEST_INTEGER else "9" * 999
        return Name.read(self, value)


@dataclass(frozen=True, slots=True)
class Reference(Identifier):
    """The id of an entity of the project, stored as its UUID."""


@dataclass(frozen=True, slots=True)
class Word(Kind):
    """A word in upper or lower case, with underscores, hyphens or spaces."""

    def read(self, value: Any) -> str | None:
        if type(value) is not str or len(value) > _MAX_WORD_LENGTH:
            raise FieldError(Code.INVALID_VALUE, "must be a short text")
        return plain_word(value) or None


@dataclass(frozen=True, slots=True)
class Choice(Kind):
    """One of several words, with the value that is stored for each."""

    values: Mapping[str, Any]

    def read(self, value: Any) -> Any:
        word = Word.read(Word(), value)
        if word is None or (chosen := self.values.get(word)) is None:
            raise FieldError(Code.INVALID_VALUE, f"must be one of {', '.join(self.words)}")
        return chosen

    @property
    def words(self) -> tuple[str, ...]:
        """The first word for each value."""
        first: dict[Any, str] = {}
        for word, value in self.values.items():
            first.setdefault(value, word)
        return tuple(first.values())

    def written(self, column: str) -> str:
        cases = " ".join(f"when {self.values[word]!r} then '{word}'" for word in self.words)
        return f"case {column} {cases} end"


@dataclass(frozen=True, slots=True)
class Duration(Kind):
    """A number of milliseconds, stored in microseconds."""

    def read(self, value: Any) -> int:
        if type(value) is not int and type(value) is not float:
            raise FieldError(Code.INVALID_NUMBER, "must be a number of milliseconds")
        if not 0 <= value <= _MAX_DURATION_MS:
            raise FieldError(Code.INVALID_NUMBER, f"must lie from 0 to {_MAX_DURATION_MS:.0f}")
        return round(value * 1000)

    def written(self, column: str) -> str:
        return f"{column} / 1000.0"


@dataclass(frozen=True, slots=True)
class Integer(Kind):
    """A whole number."""

    least: int = 0
    most: int = MAX_INTEGER

    def read(self, value: Any) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is not int:
            raise FieldError(Code.INVALID_NUMBER, "must be a whole number")
        if not self.least <= value <= self.most:
            raise FieldError(Code.INVALID_NUMBER, f"must lie from {self.least} to {self.most}")
        return value


@dataclass(frozen=True, slots=True)
class Number(Kind):
    """A number, rounded to a multiple of one part of the unit, of which there are `per_unit`."""

    most: int
    per_unit: int

    def read(self, value: Any) -> Decimal:
        if type(value) is not int and type(value) is not float:
            raise FieldError(Code.INVALID_NUMBER, "must be a number")
        if not -self.most <= value <= self.most:  # nor if it is not one
            raise FieldError(Code.INVALID_NUMBER, f"must lie from {-self.most} to {self.most}")
        # The shortest decimal that is read as this float is what the sender wrote.
        parts = round(Decimal(repr(value)) * self.per_unit)
        return (Decimal(parts) / self.per_unit).normalize()


@dataclass(frozen=True, slots=True)
class Labels(Kind):
    """An object of texts by name, stored as one text such as `core=0,mode=idle`, sorted by name.

    It may be given as that text too, and as what archives have in the place of one too many.
    """

    most: int = 4

    def read(self, value: Any) -> str | None:
        if value == OTHER_NAME:
            return OTHER_NAME
        labels: dict[str, str] = {}
        for name, given in self._pairs(value):
            if not _LABEL_NAME(name):
                message = "has a name that is not made of letters, digits, dots, hyphens and _"
                raise FieldError(Code.INVALID_TEXT, message)
            label = self._label(name, given)
            if label and "," in label:
                raise FieldError(Code.INVALID_TEXT, "has a comma", inside=f".{name}")
            if label and labels.setdefault(name, label) != label:
                raise FieldError(Code.CONFLICTING_FIELDS, f"has two values for {name}")
        if len(labels) > self.most:
            raise FieldError(Code.TOO_LARGE, f"has more than {self.most} labels")
        return Name.read(Name(), ",".join(f"{name}={labels[name]}" for name in sorted(labels)))

    @staticmethod
    def _pairs(value: Any) -> Iterable[tuple[str, Any]]:
        if type(value) is dict:
            return value.items()
        if type(value) is not str:
            raise FieldError(Code.INVALID_VALUE, "must be an object")
        parts = [part.partition("=") for part in value.split(",")]
        if not all(equals for _, equals, _ in parts):
            raise FieldError(Code.INVALID_TEXT, "has a part that is not written as name=value")
        return [(name.strip(), label) for name, _, label in parts]

    @staticmethod
    def _label(name: str, given: Any) -> str | None:
        try:
            return None if is_blank(given) else Identifier().read(given)
        except FieldError as error:
            error.inside = f".{name}"
            raise


@dataclass(frozen=True, slots=True)
class Flag(Kind):
    """True or false."""

    def read(self, value: Any) -> bool:
        if type(value) is not bool:
            raise FieldError(Code.INVALID_VALUE, "must be true or false")
        return value


@dataclass(frozen=True, slots=True)
class Moment(Kind):
    """A time."""

    def read(self, value: Any) -> Any:
        time = read_time(value)
        if type(time) is str:
            raise FieldError(Code.INVALID_TIME, time)
        return time

    def written(self, column: str) -> str:
        return f"""to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


@dataclass(frozen=True, slots=True)
class Text(Kind):
    """A text for people, cut at its limit; characters that cannot be stored are replaced."""

    limit: int = MAX_ERROR_LENGTH

    def read(self, value: Any) -> str | None:
        """The whole text; the caller cuts it."""
        if type(value) is not str:
            raise FieldError(Code.INVALID_VALUE, "must be a text")
        return clean_text(value.strip()) or None


@dataclass(frozen=True, slots=True)
class Texts(Kind):
    """A list of texts."""

    most: int = 50

    def read(self, value: Any) -> tuple[str, ...] | None:
        if type(value) is not list or not all(type(each) is str for each in value):
            raise FieldError(Code.INVALID_VALUE, "must be a list of texts")
        if len(value) > self.most or any(len(each) > MAX_ERROR_LENGTH for each in value):
            raise FieldError(Code.TOO_LONG, f"has more than {self.most} texts, or too long ones")
        return tuple(clean_text(each) for each in value) or None


@dataclass(frozen=True, slots=True)
class Attributes(Kind):
    """An object with any further data."""

    def read(self, value: Any) -> dict[str, Any] | None:
        if type(value) is not dict:
            raise FieldError(Code.INVALID_VALUE, "must be an object")
        cleaned: dict[str, Any] = _clean_json(value, "", MAX_ATTRIBUTES_DEPTH)
        if len(orjson.dumps(cleaned)) > MAX_ATTRIBUTES_BYTES:
            raise FieldError(Code.TOO_LARGE, f"takes more than {MAX_ATTRIBUTES_BYTES} bytes")
        return cleaned or None


@dataclass(frozen=True, slots=True)
class Payload(Kind):
    """An object of another program's format, which the fact's own code cleans and cuts."""

    def read(self, value: Any) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            raise FieldError(Code.INVALID_VALUE, "must be an object")
        return value or None


def is_blank(value: object) -> bool:
    """Whether a value counts as absent."""
    return value is None or (type(value) is str and (not value or value.isspace()))


def plain_word(text: str) -> str:
    """The word in lower case and with underscores."""
    return text.strip().lower().replace("-", "_").replace(" ", "_")


def _clean_json(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict | list):
        if depth == 0:
            message = f"is nested deeper than {MAX_ATTRIBUTES_DEPTH}"
            raise FieldError(Code.TOO_DEEP, message, inside=path)
        if isinstance(value, list):
            return [_clean_json(item, f"{path}.{at}", depth - 1) for at, item in enumerate(value)]
        return {
            clean_text(name): _clean_json(item, f"{path}.{name}", depth - 1)
            for name, item in value.items()
        }
    if isinstance(value, float) and not isfinite(value):
        raise FieldError(Code.INVALID_NUMBER, "is not a finite number", inside=path)
    if isinstance(value, int) and not _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER:
        raise FieldError(Code.INVALID_NUMBER, "does not fit into 64 bits", inside=path)
    return value
