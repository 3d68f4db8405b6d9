"""Walks through a body: copies it within limits, and gathers its texts and named secrets."""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Protocol

import orjson

from ingest.errors.scrubbing.joined import Texts
from ingest.errors.scrubbing.names import Kind, is_no_secret
from ingest.errors.scrubbing.seen import Seen
from ingest.errors.scrubbing.spans import ADDRESS, SECRET, USERNAME
from ingest.errors.scrubbing.values import (
    CUT,
    MAX_ITEMS,
    MAX_KEY_LENGTH,
    free,
    name_of,
    parsed,
    scalar,
    shortened,
    user_text,
)
from storage.names import clean_text

MAX_DEPTH = 24
MAX_KEYS = 500
MAX_TOTAL_LENGTH = 250_000
MAX_VALUES = 20_000
# The names of so many cut fields are read, since their secrets may be elsewhere too.
_CUT_KEYS_READ = 2_000
_LONGEST_JSON = 100_000

_TOO_LARGE = "[cut: the event is too large]"
_TOO_DEEP = "[cut: nested too deeply]"
_MARKERS = {Kind.ADDRESS: ADDRESS, Kind.USERNAME: USERNAME}
# Lines of source text, in which what follows a name is mostly an expression.
_CODE = frozenset({"context_line", "pre_context", "post_context"})
# What tells users apart, the best first.
_USER_IDS = ("id", "username", "email")
# If an event is too large, what says least about the error is cut.
_FIRST = (
    *("exception", "message", "logentry", "level", "platform", "logger", "transaction", "culprit"),
    *("release", "environment", "dist", "server_name", "tags", "fingerprint", "threads"),
    *("request", "contexts", "sdk"),
)
_MARKER = re.compile(r"\[(?:secret|email|card|iban|ip|user|cut: [^\]]{1,60})\]|\[Filtered\]")


class Names(Protocol):
    """What names mean under a project's rules."""

    @property
    def kind_of(self) -> Callable[[str], Kind]: ...


class Walk:
    """One walk through a body."""

    def __init__(self, seen: Seen, names: Names, hashed: Callable[[str], str]) -> None:
        self._seen = seen
        self._kind_of = names.kind_of
        self._hashed = hashed
        self.prose = Texts()
        self.code = Texts(are_code=True)
        self.keys = Texts(are_names=True)
        self._renamed = dict[str, str]()
        self._documents: list[tuple[Any, Any, Any, Any]] = []
        self._length = 0
        self._values = 0
        self._in_query = False
        self._names = set[str]()

    def body(self, body: dict[str, Any]) -> dict[str, Any]:
        """A copy of the body without what names call a secret; the user is only a hash."""
        user = self._user(body.get("user"))
        ordered = {key: body[key] for key in _FIRST if key in body} | body
        for name in ("user", "_meta"):  # `_meta` says what the SDK cut, and where
            ordered.pop(name, None)
        result: dict[str, Any] = self._object(ordered, 0, self.prose)
        if user is not None:
            result["user"] = user
        for name in self._names:
            self.keys.add(name, self._renamed, name)
        return result

    def finished(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result, after the texts were replaced: JSON within texts, and names."""
        for container, key, before, document in self._documents:
            if document != before or self._renamed:
                container[key] = orjson.dumps(self._with_names(document)).decode()
        renamed: dict[str, Any] = self._with_names(result) if self._renamed else result
        return renamed

    def _with_names(self, value: Any) -> Any:
        if isinstance(value, dict):
            named = dict[str, Any]()
            for key, inner in value.items():
                renamed = self._renamed.get(key) or key
                named[free(named, renamed)] = self._with_names(inner)
            return named
        return [self._with_names(inner) for inner in value] if isinstance(value, list) else value

    def _user(self, user: Any) -> dict[str, str] | None:
        """The user with a hash for an id; everything else of them is personal."""
        if not isinstance(user, dict):
            user = {"id": user}
        for key, value in islice(user.items(), MAX_KEYS):
            if key != _USER_IDS[0] and isinstance(value, str):
                self._seen.add(value, _MARKERS.get(self._kind_of(str(key)), USERNAME))
        user_id = next(filter(None, map(user_text, map(user.get, _USER_IDS))), None)
        if user_id is None:
            return None
        hashed = self._hashed(user_id)
        self._seen.add(clean_text(user_id), hashed)
        return {"id": hashed}

    def _object(self, source: dict[Any, Any], depth: int, texts: Texts) -> Any:
        if depth > MAX_DEPTH:
            return _TOO_DEEP
        result = dict[str, Any]()
        cut = len(source) - MAX_KEYS if len(source) > MAX_KEYS + 1 else 0
        for key, value in islice(source.items(), MAX_KEYS) if cut else source.items():
            name = key if isinstance(key, str) and len(key) <= MAX_KEY_LENGTH else name_of(key)
            self._names.add(name)
            kind = self._kind_of(name)
            if name in result:
                name = free(result, name)
            if kind is Kind.PLAIN or (kind is Kind.LOOSE and not self._in_query):
                if type(value) is str:
                    group = self.code if name in _CODE else texts
                    self._text(value, depth, group, result, name)
                else:
                    result[name] = self._field(name, value, depth, texts)
            elif depth == 1 and type(value) is str and value[:1].isdigit() and "." in value:
                result[name] = value  # the version of a package: `modules` has their names
            else:
                result[name] = self._secret(name, value, kind, depth)
        if cut:
            self._read_cut(source)
            result[CUT] = f"[cut: {cut} more fields]"
        return self._named_pair(source, result, depth)

    def _field(self, name: str, value: Any, depth: int, texts: Texts) -> Any:
        if name in _CODE:
            texts = self.code
        elif name == "query_string":
            self._in_query = True
            result = self._value(value, depth + 1, texts)
            self._in_query = False
            return result
        return self._value(value, depth + 1, texts)

    def _value(self, value: Any, depth: int, texts: Texts) -> Any:
        """A copy of anything but a text."""
        self._values += 1
        if self._values > MAX_VALUES:
            return _TOO_LARGE
        if isinstance(value, dict):
            return self._object(value, depth, texts)
        if isinstance(value, list | tuple):
            return self._list(value, depth, texts)
        return scalar(value)

    def _list(self, source: list[Any] | tuple[Any, ...], depth: int, texts: Texts) -> Any:
        if depth > MAX_DEPTH:
            return _TOO_DEEP
        if len(source) == 2 and isinstance(source[0], str) and texts is not self.code:
            kind = self._kind_of(name_of(source[0]))
            if self._is_secret(kind):
                return [name_of(source[0]), self._secret(source[0], source[1], kind, depth)]
        items, cut = shortened(source)
        result: list[Any] = [None] * len(items)
        option = None
        for place, value in enumerate(items):
            if option is not None and isinstance(value, str):
                result[place] = self._secret("", value, option, depth)
            elif isinstance(value, str):
                self._text(value, depth, texts, result, place)
            else:
                result[place] = self._value(value, depth + 1, texts)
            option = self._option(value)
        if cut:
            marker = f"[cut: {cut} more items]"
            result.insert(MAX_ITEMS // 2, {CUT: marker} if isinstance(source[0], dict) else marker)
        return result

    def _option(self, value: Any) -> Kind | None:
        """The kind of what follows `--password` in a list of arguments."""
        if not isinstance(value, str) or not value.startswith("--") or len(value) > MAX_KEY_LENGTH:
            return None
        kind = self._kind_of(value)
        return kind if self._is_secret(kind) and "=" not in value else None

    def _is_secret(self, kind: Kind) -> bool:
        return kind is not Kind.PLAIN and (kind is not Kind.LOOSE or self._in_query)

    def _named_pair(self, source: dict[Any, Any], result: dict[str, Any], depth: int) -> Any:
        """The field with its value removed, if it is `{"name": "password", "value": …}`."""
        if "value" in result and len(result) < 8:
            for label in ("key", "name"):
                if isinstance(name := source.get(label), str):
                    kind = self._kind_of(name_of(name))
                    if self._is_secret(kind):
                        result["value"] = self._secret(name, source["value"], kind, depth)
        return result

    def _text(self, value: str, depth: int, texts: Texts, container: Any, key: Any) -> None:
        """Puts a text into a container, and notes that it is to be searched."""
        self._length += min(len(value), MAX_KEY_LENGTH * 50) + 8
        if self._length > MAX_TOTAL_LENGTH:
            container[key] = value if _MARKER.fullmatch(value) else _TOO_LARGE
            return
        container[key] = value
        if value[:1] in ("{", "[") and value[-1:] in ("}", "]") and len(value) <= _LONGEST_JSON:
            document = parsed(value)
            if document is not None:
                copy = self._value(document, depth + 1, texts)
                self._documents.append((container, key, document, copy))
                return
        texts.add(value, container, key)

    def _secret(self, name: str, value: Any, kind: Kind, depth: int) -> Any:
        """What takes the place of a value whose name says that it is secret."""
        marker = _MARKERS.get(kind, SECRET)
        if isinstance(value, str):
            if is_no_secret(name, value) or _MARKER.fullmatch(value):
                return value
            text = clean_text(value)
            if kind is Kind.HEADER:
                self._seen.add_cookies(text, marker)
            self._seen.add(text, marker)
            return marker
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            # Counts of a language model's tokens are no secrets.
            if kind is Kind.TOKEN and name.lower().endswith("s"):
                return scalar(value)
            self._seen.add(str(value), marker)
            return marker
        return self._secrets(value, kind, depth + 1)

    def _secrets(self, value: Any, kind: Kind, depth: int) -> Any:
        """A copy of a container of secrets, in which only names stay."""
        self._values += 1
        if depth > MAX_DEPTH or self._values > MAX_VALUES:
            return _TOO_DEEP if depth > MAX_DEPTH else _TOO_LARGE
        if isinstance(value, dict):
            named = dict[str, Any]()
            for key, inner in islice(value.items(), MAX_KEYS):
                self._names.add(name_of(key))
                named[free(named, name_of(key))] = self._secret("", inner, kind, depth)
            return named
        if isinstance(value, list | tuple):
            return [self._secret("", inner, kind, depth) for inner in value[:MAX_ITEMS]]
        return SECRET

    def _read_cut(self, source: dict[Any, Any]) -> None:
        """Notes the secrets among fields that are cut."""
        for key, value in islice(source.items(), MAX_KEYS, MAX_KEYS + _CUT_KEYS_READ):
            if isinstance(value, str) and isinstance(key, str):
                kind = self._kind_of(name_of(key))
                if self._is_secret(kind):
                    self._secret(key, value, kind, 0)
