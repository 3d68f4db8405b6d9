"""Walks through a body: copies it within limits, and gathers its texts and named secrets."""

import re
from collections.abc import Callable
from itertools import islice
from math import isfinite
from typing import Any

import orjson

from ingest.scrubbing.found import MARKER, MARKERS, SECRET
from ingest.scrubbing.names import Kind, is_no_secret
from ingest.scrubbing.patterns import is_card
from ingest.scrubbing.seen import Seen
from ingest.scrubbing.texts import TOO_LARGE, Group, Texts
from storage.names import clean_text

MAX_DEPTH = 24
MAX_KEYS = 500
MAX_ITEMS = 250
MAX_VALUES = 20_000
MAX_NAME_LENGTH = 200
# The names of so many cut fields are read, since their secrets may be elsewhere too.
_CUT_KEYS_READ = 2_000
_LONGEST_USER_ID = 300
_LONGEST_JSON = 100_000
_CUT = "[cut]"
_TOO_DEEP = "[cut: nested too deeply]"
_GROUPS = {
    **dict.fromkeys(("context_line", "pre_context", "post_context"), Group.CODE),
    "query_string": Group.QUERY,
    "modules": Group.PACKAGES,
}
# What tells users apart, the best first.
_USER_IDS = ("id", "username", "email")
# If an event is too large, what says least about the error is cut.
_FIRST = (
    *("exception", "message", "logentry", "level", "platform", "logger", "transaction", "culprit"),
    *("release", "environment", "dist", "server_name", "tags", "fingerprint", "threads"),
    *("request", "contexts", "sdk"),
)
_VERSION = re.compile(r"[0-9]{1,9}\.[0-9][\w.+-]{0,40}")
_JSON_ENDINGS = ("}", "]")
_JSON = re.compile(r"\{\s*[\"}]|\[\s*[\[{\"0-9tfn-]")


class Walk:
    """One walk through a body."""

    def __init__(
        self, seen: Seen, kind_of: Callable[[str], Kind], hashed: Callable[[str], str]
    ) -> None:
        self._seen = seen
        self._kind_of = kind_of
        self._hashed = hashed
        self.texts = Texts()
        self._documents: list[tuple[Any, Any, Any, Any]] = []
        self._left = MAX_VALUES

    def body(self, body: dict[str, Any]) -> dict[str, Any]:
        """A copy of the body without what names call a secret; the user is only a hash."""
        user = self._user(body.get("user"))
        ordered = {key: body[key] for key in _FIRST if key in body} | body
        for name in ("user", "_meta"):  # `_meta` says what the SDK cut, and where
            ordered.pop(name, None)
        result: dict[str, Any] = self._object(ordered, 0, Group.PROSE)
        if user is not None:
            result["user"] = {"id": user}
        return result

    def finished(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result, after the texts were replaced: JSON within texts, and names."""
        renamed = self.texts.renamed
        for holder, key, before, document in self._documents:
            if document != before or renamed:
                holder[key] = orjson.dumps(_with_names(document, renamed)).decode()
        return dict(_with_names(result, renamed)) if renamed else result

    def _user(self, user: Any) -> str | None:
        """What stands for the user; all that the event says of them is removed elsewhere too."""
        user = user if isinstance(user, dict) else {"id": user}
        for key, value in islice(user.items(), MAX_KEYS):
            if key != "id" and isinstance(value, str):
                self._seen.add(value, MARKERS.get(self._kind_of(key), MARKERS[Kind.USERNAME]))
        given = (user.get(name) for name in _USER_IDS)
        texts = (str(id) for id in given if isinstance(id, str | int) and id is not True)
        if not (user_id := next(filter(None, texts), "")[:_LONGEST_USER_ID]):
            return None
        hashed = self._hashed(user_id)
        self._seen.add(clean_text(user_id), hashed)
        return hashed

    def _object(self, source: dict[str, Any], depth: int, group: Group) -> Any:
        self._left -= min(len(source), MAX_KEYS)
        if depth > MAX_DEPTH or self._left < 0:
            return _TOO_DEEP if depth > MAX_DEPTH else {_CUT: TOO_LARGE}
        result, places, kinds = dict[str, Any](), self.texts.places, self._kind_of
        cut = len(source) - MAX_KEYS if len(source) > MAX_KEYS + 1 else 0
        for key, value in islice(source.items(), MAX_KEYS) if cut else source.items():
            name = key if len(key) <= MAX_NAME_LENGTH else _shortened_name(key, result)
            kind = kinds(name)
            if kind is not Kind.PLAIN and (kind is not Kind.LOOSE or group is Group.QUERY):
                is_package = depth == 1 and group is Group.PACKAGES
                is_version = is_package and _VERSION.fullmatch(str(value))
                result[name] = value if is_version else self._secret(name, value, kind, depth)
            elif type(value) is str:
                result[name] = value
                if value.endswith(_JSON_ENDINGS):
                    self._text(value, result, name, depth, _GROUPS.get(name, group))
                else:
                    places[_GROUPS.get(name, group)].append((value, result, name))
            else:
                result[name] = self._copy(value, depth + 1, _GROUPS.get(name, group))
        self.texts.names.update(result)
        for key, value in islice(source.items(), MAX_KEYS, _CUT_KEYS_READ) if cut else ():
            self._named(key, value, depth, group)
        if cut:
            result[_CUT] = f"[cut: {cut} more fields]"
        if "value" in result and len(result) < 8:  # as in `{"name": "password", "value": …}`
            for label in ("key", "name"):
                secret = self._named(source.get(label), source["value"], depth, group)
                result["value"] = result["value"] if secret is None else secret
        return result

    def _copy(self, value: Any, depth: int, group: Group) -> Any:
        """A copy of anything but a text."""
        if type(value) is dict:
            return self._object(value, depth, group)
        return self._list(value, depth, group) if type(value) is list else _scalar(value)

    def _list(self, source: list[Any], depth: int, group: Group) -> Any:
        if not source:
            return []
        items, cut, half = source, 0, MAX_ITEMS // 2
        if len(source) > MAX_ITEMS + 1:
            items, cut = [*source[:half], *source[-half:]], len(source) - MAX_ITEMS
        self._left -= len(items)
        if depth > MAX_DEPTH:
            return _TOO_DEEP
        if self._left < 0:
            return [_like(source, TOO_LARGE)]
        if len(source) == 2 and group is not Group.CODE:  # as in `["password", …]`
            secret = self._named(source[0], source[1], depth, group)
            if secret is not None:
                return [source[0][:MAX_NAME_LENGTH], secret]
        result: list[Any] = [None] * len(items)
        option = None
        for place, value in enumerate(items):
            if option is not None and (secret := self._named(option, value, depth, group)):
                result[place] = secret
            elif type(value) is str:
                self._text(value, result, place, depth, group)
            else:
                result[place] = self._copy(value, depth + 1, group)
            is_option = type(value) is str and value.startswith("--") and "=" not in value
            option = value if is_option else None
        if cut:
            result.insert(half, _like(source, f"[cut: {cut} more items]"))
        return result

    def _text(self, value: str, holder: Any, key: Any, depth: int, group: Group) -> None:
        """Puts a text into its container, and notes that it is to be searched."""
        holder[key] = value
        if value.endswith(_JSON_ENDINGS) and len(value) <= _LONGEST_JSON and _JSON.match(value):
            document = _parsed(value)
            if document is not None:
                copy = self._copy(document, depth + 1, group)
                self._documents.append((holder, key, document, copy))
                return
        self.texts.places[group].append((value, holder, key))

    def _named(self, name: Any, value: Any, depth: int, group: Group) -> Any:
        """What takes the place of a value, None if its name does not make it a secret."""
        if not isinstance(name, str):
            return None
        kind = self._kind_of(name[:MAX_NAME_LENGTH])
        if kind is Kind.PLAIN or (kind is Kind.LOOSE and group is not Group.QUERY):
            return None
        return self._secret(name, value, kind, depth)

    def _secret(self, name: str, value: Any, kind: Kind, depth: int) -> Any:
        """What takes the place of a value whose name says that it is secret; names in it stay."""
        marker = MARKERS.get(kind, SECRET)
        if isinstance(value, dict | list):
            self._left -= min(len(value), MAX_KEYS)
            if depth > MAX_DEPTH or self._left < 0:
                return _TOO_DEEP if depth > MAX_DEPTH else type(value)()
            if isinstance(value, list):
                return [self._secret("", inner, kind, depth + 1) for inner in value[:MAX_ITEMS]]
            kept = dict[str, Any]()
            for key, inner in islice(value.items(), MAX_KEYS):
                kept[_shortened_name(key, kept)] = self._secret("", inner, kind, depth + 1)
            self.texts.names.update(kept)
            return kept
        if value is None or isinstance(value, bool):
            return value
        if not isinstance(value, str) and kind is Kind.TOKEN and name.lower().endswith("s"):
            return _scalar(value)  # counts of a language model's tokens are no secrets
        text = clean_text(str(value))
        if is_no_secret(name, text) or MARKER.fullmatch(text):
            return text
        if kind is Kind.HEADER:
            self._seen.add_cookies(text, marker)
        self._seen.add(text, marker)
        return marker


def _with_names(value: Any, renamed: dict[str, str]) -> Any:
    if isinstance(value, dict):
        named = dict[str, Any]()
        for key, inner in value.items():
            named[_free(str(renamed.get(key, key)), named)] = _with_names(inner, renamed)
        return named
    return [_with_names(one, renamed) for one in value] if isinstance(value, list) else value


def _shortened_name(name: str, taken: dict[str, Any]) -> str:
    if len(name) > MAX_NAME_LENGTH:
        name = f"{name[: MAX_NAME_LENGTH - 5]}{_CUT}"
    return _free(name, taken)


def _free(name: str, taken: dict[str, Any]) -> str:
    """The name, with a mark if there is one like it."""
    while name in taken:
        name += "'"
    return name


def _like(items: list[Any], marker: str) -> Any:
    """The marker as an item of the list, which may be one of objects."""
    return {_CUT: marker} if isinstance(items[0], dict) else marker


def _scalar(value: Any) -> Any:
    """A value that JSON and PostgreSQL can hold."""
    if type(value) is float:
        return value if isfinite(value) else str(value)
    if type(value) is not int or abs(value) < 10**12:
        return value
    if is_card(str(value)[:40]):
        return "[card]"
    return value if abs(value) < 1 << 63 else str(value)[:100]


def _parsed(text: str) -> Any:
    """The object or list that a text is in JSON, else None."""
    try:
        return orjson.loads(text) or None
    except ValueError:
        return None
