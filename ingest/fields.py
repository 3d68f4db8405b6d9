"""Reads single fields of an event: returns a clean value, or raises with the field's path."""

from collections.abc import Mapping
from math import isfinite
from typing import Any

import orjson

from ingest.aliases import FIELD_OF_NAME, FIELDS
from ingest.events import (
    MAX_ATTRIBUTES_BYTES,
    MAX_ATTRIBUTES_DEPTH,
    MAX_DURATION,
    MAX_ERROR_LENGTH,
    Code,
    Rejection,
)
from storage.names import clean_text, wrong_name

MAX_PATH_LENGTH = 200
_MAX_DURATION_MS = MAX_DURATION.total_seconds() * 1000
_SMALLEST_INTEGER = -(2**63)
_LARGEST_INTEGER = 2**64 - 1


class FieldError(Exception):
    """A field that cannot be read, and so the event's rejection."""

    def __init__(self, code: Code, message: str, path: str | None = None) -> None:
        super().__init__(message)
        self.rejection = Rejection(code, message, path and clean_text(path[:MAX_PATH_LENGTH]))


class Fields:
    """The fields of a raw event by canonical name, without nulls and blank texts."""

    __slots__ = ("_paths", "_prefix", "_raw", "unknown", "values")

    def __init__(self, raw: Mapping[str, Any], paths: Mapping[str, str], prefix: str) -> None:
        self._raw = raw
        self._paths = paths
        self._prefix = prefix
        self.unknown: str | None = None
        values: dict[str, Any] = {}
        for name, value in raw.items():
            if _is_blank(value):
                continue
            field = FIELD_OF_NAME.get(name)
            if field is None:
                self.unknown = self.unknown or name
            elif field in values and values[field] != value:
                raise FieldError(
                    Code.CONFLICTING_FIELDS, f"is given twice, as {self.spelling(field)} too", name
                )
            else:
                values[field] = value
        self.values = values

    def spelling(self, field: str) -> str:
        """The path at which the sender wrote the field."""
        if field in self._paths:
            return self._paths[field]
        names = (name for name in FIELDS[field] if not _is_blank(self._raw.get(name)))
        return self._prefix + next(names, field)

    def invalid(self, field: str, code: Code, message: str) -> FieldError:
        name = self.spelling(field)
        return FieldError(code, f"{name} {message}", name)

    def missing(self, field: str) -> FieldError:
        return self.invalid(field, Code.MISSING_FIELD, "is required")

    def name(self, field: str, limit: int) -> str | None:
        """A single-line text, stored as sent; control characters are invalid."""
        value = self.values.get(field)
        if value is None:
            return None
        if type(value) is not str:
            raise self.invalid(field, Code.INVALID_VALUE, "must be a text")
        value = value.strip()
        if wrong := wrong_name(value, limit):
            code, message = wrong
            raise self.invalid(field, Code(code), message)
        return value or None

    def identifier(self, field: str, limit: int) -> str | None:
        """A name that may also be a whole number."""
        value = self.values.get(field)
        if type(value) is int:
            self.values[field] = str(value) if abs(value) <= _LARGEST_INTEGER else "9" * 999
        return self.name(field, limit)

    def required(self, field: str, limit: int) -> str:
        """An identifier that the event must have."""
        if (value := self.identifier(field, limit)) is None:
            raise self.missing(field)
        return value

    def error(self) -> tuple[str | None, bool]:
        """The error text, and whether it was cut; characters that cannot be stored are replaced."""
        value = self.values.get("error")
        if value is None:
            return None, False
        if type(value) is not str:
            raise self.invalid("error", Code.INVALID_VALUE, "must be a text")
        text = clean_text(value.strip())
        if len(text) <= MAX_ERROR_LENGTH:
            return text or None, False
        return text[: MAX_ERROR_LENGTH - 1] + "…", True

    def duration_us(self) -> int | None:
        value = self.values.get("durationMs")
        if value is None:
            return None
        if type(value) is not int and type(value) is not float:
            raise self.invalid(
                "durationMs", Code.INVALID_NUMBER, "must be a number of milliseconds"
            )
        if not 0 <= value <= _MAX_DURATION_MS:
            raise self.invalid(
                "durationMs", Code.INVALID_NUMBER, f"must lie from 0 to {_MAX_DURATION_MS:.0f}"
            )
        return round(value * 1000)

    def attributes(self) -> dict[str, Any] | None:
        value = self.values.get("attributes")
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self.invalid("attributes", Code.INVALID_VALUE, "must be an object")
        cleaned = _clean_json(value, self.spelling("attributes"), MAX_ATTRIBUTES_DEPTH)
        if len(orjson.dumps(cleaned)) > MAX_ATTRIBUTES_BYTES:
            raise self.invalid(
                "attributes", Code.TOO_LARGE, f"takes more than {MAX_ATTRIBUTES_BYTES} bytes"
            )
        return cleaned or None


def _is_blank(value: object) -> bool:
    return value is None or (type(value) is str and (not value or value.isspace()))


def _clean_json(value: Any, path: str, depth: int) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict | list):
        if depth == 0:
            raise FieldError(Code.TOO_DEEP, f"is nested deeper than {MAX_ATTRIBUTES_DEPTH}", path)
        if isinstance(value, list):
            return [_clean_json(item, f"{path}.{at}", depth - 1) for at, item in enumerate(value)]
        return {
            clean_text(name): _clean_json(item, f"{path}.{name}", depth - 1)
            for name, item in value.items()
        }
    if isinstance(value, float) and not isfinite(value):
        raise FieldError(Code.INVALID_NUMBER, "is not a finite number", path)
    if isinstance(value, int) and not _SMALLEST_INTEGER <= value <= _LARGEST_INTEGER:
        raise FieldError(Code.INVALID_NUMBER, "does not fit into 64 bits", path)
    return value
