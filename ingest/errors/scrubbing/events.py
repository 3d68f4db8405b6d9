"""Removes secrets and personal data from the body of an error occurrence, and cuts it to size."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from ingest.errors.scrubbing.assignments import Reading, assignments
from ingest.errors.scrubbing.custom import Pattern, compiled
from ingest.errors.scrubbing.joined import Texts
from ingest.errors.scrubbing.names import Kind, has_rule_name, kind_of, normalised, words_of
from ingest.errors.scrubbing.seen import Seen, Strength
from ingest.errors.scrubbing.spans import SECRET, SEPARATOR, Span, replaced
from ingest.errors.scrubbing.texts import shaped
from ingest.errors.scrubbing.walk import Walk
from ingest.identity import ROOT
from storage.error_groups.users import marker, user_key

_USER_PREFIX = "user:"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a project calls secret beyond what is so everywhere.

    `names` are further names of fields, in any spelling. In `patterns`, `*` stands for any
    characters but spaces and `#` for a digit; the rest is literal. `project` is the namespace of
    the project's UUIDs; hashes of user ids differ between projects.
    """

    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    project: UUID = ROOT


NO_RULES = Rules()


def hashed_user(user_id: str, project: UUID) -> str:
    """What takes the place of a user's id in a body: the digits of their key."""
    if is_hashed_user(user_id):
        return user_id
    return marker(user_key(project, user_id))


def is_hashed_user(text: str) -> bool:
    """Whether a text is what takes the place of a user's id."""
    digits = text.removeprefix(_USER_PREFIX)
    return len(text) == 21 and len(digits) == 16 and set(digits) <= set("0123456789abcdef")


def scrub(body: dict[str, Any], rules: Rules = NO_RULES) -> dict[str, Any]:
    """Returns the body without secrets and personal data, and within the limits of `Walk`.

    The body given stays as it is. What was removed is replaced by a marker such as `[secret]`;
    what was cut leaves a marker that says how much.
    """
    seen = Seen(_protected(body))
    walk = Walk(seen, _Names(rules), lambda user_id: hashed_user(user_id, rules.project))
    result = walk.body(body)
    patterns = tuple(compiled(pattern) for pattern in rules.patterns)
    finder = _Finder(seen, _Names(rules), patterns)
    groups = (walk.prose, walk.code, walk.keys)
    found = [finder.first(texts) for texts in groups]
    for texts, spans in zip(groups, found, strict=True):
        finder.second(texts, spans)
    return walk.finished(result)


def scrub_text(text: str, rules: Rules = NO_RULES) -> str:
    """Returns a text without secrets and personal data, and without what cannot be stored."""
    body = scrub({"message": text}, rules)
    return str(body["message"])


@lru_cache(maxsize=4096)
def scrub_name(name: str) -> str:
    """Returns a name, such as that of a release, as `scrub_text` returns a text."""
    return scrub_text(name)


def _protected(body: dict[str, Any]) -> frozenset[str]:
    """Values of the event's own fields, which an ordinary password does not remove."""
    names = ("environment", "release", "platform", "level", "logger", "transaction", "server_name")
    return frozenset(value for name in names if isinstance(value := body.get(name), str))


class _Names:
    """The kinds of names under a project's rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = tuple(normalised(name) for name in rules.names if words_of(name))
        self.hints = tuple({words_of(name)[0] for name in rules.names if words_of(name)})
        self.kind_of = self._with_rules if self._rules else kind_of

    def _with_rules(self, name: str) -> Kind:
        return Kind.PASSWORD if has_rule_name(name, self._rules) else kind_of(name)


class _Finder:
    """Finds the spans to replace in the texts of an event: by name, by shape, then as seen."""

    def __init__(self, seen: Seen, names: _Names, patterns: tuple[Pattern, ...]) -> None:
        self._seen = seen
        self._names = names
        self._patterns = patterns

    def first(self, texts: Texts) -> list[Span]:
        """Cleans the texts; returns what they name or show, and notes the values of secrets."""
        texts.join()
        text = texts.joined
        lower = _lower(text)
        spans = list[Span]()
        for one, value in shaped(text, lower):
            spans.append(one)
            if value and one[2] == SECRET:
                self._seen.add(value, SECRET, Strength.ANYWHERE)
        if not texts.are_names:
            reading = Reading(text, lower, texts.are_code, self._names.kind_of)
            for named in assignments(reading, self._names.hints):
                spans.append((named.start, named.end, named.marker))
                if named.kind is Kind.HEADER:
                    self._seen.add_cookies(named.value, named.marker)
                self._seen.add(named.value, named.marker, Strength.ANYWHERE)
        for pattern in self._patterns:
            spans += ((start, end, SECRET) for start, end in pattern.spans(text))
        return spans

    def second(self, texts: Texts, spans: list[Span]) -> None:
        """Replaces what was found, and every secret value seen anywhere in the event."""
        spans += self._seen.spans(texts.joined)
        if spans:
            texts.put(replaced(texts.joined, spans).split(SEPARATOR))
        if self._seen.has_more:
            texts.replace_whole(self._seen.whole)


def _lower(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else text.translate(_ascii_lower())


@lru_cache(maxsize=1)
def _ascii_lower() -> dict[int, int]:
    return {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
