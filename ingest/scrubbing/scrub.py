"""Removes secrets and personal data from the body of an error occurrence, and cuts it to size."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from ingest.identity import ROOT
from ingest.scrubbing.assignments import assigned
from ingest.scrubbing.found import Found
from ingest.scrubbing.names import Kind, kind_of, normalised, word_set, words_of
from ingest.scrubbing.patterns import compiled, own, shaped
from ingest.scrubbing.seen import Seen, Strength
from ingest.scrubbing.texts import Group
from ingest.scrubbing.walk import Walk
from storage.error_groups.users import marker, user_key

# Values of these fields are removed only if they are surely a secret.
_OWN_FIELDS = word_set("environment release platform level logger function transaction server_name")


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


def scrub(body: dict[str, Any], rules: Rules = NO_RULES) -> dict[str, Any]:
    """Returns the body without secrets and personal data, and within the limits of `Walk`.

    The body given stays as it is. What was removed is replaced by a marker such as `[secret]`;
    what was cut leaves a marker that says how much.
    """
    reader = _reader(rules.names, rules.patterns)
    protected = (body.get(name) for name in _OWN_FIELDS)
    seen = Seen(frozenset(value for value in protected if isinstance(value, str)))
    walk = Walk(seen, reader.kind_of, lambda user_id: marker(user_key(rules.project, user_id)))
    result = walk.body(body)
    walk.texts.search(lambda text, group: reader.noted(text, group, seen), reader.known)
    walk.texts.replace(seen.finder(), seen.beyond_limit)
    return walk.finished(result)


def scrub_text(text: str, rules: Rules = NO_RULES) -> str:
    """Returns a text without secrets and personal data, and without what cannot be stored."""
    return str(scrub({"message": text}, rules)["message"])


@lru_cache(maxsize=4096)
def scrub_name(name: str) -> str:
    """Returns a name, such as that of a release, as `scrub_text` returns a text."""
    return scrub_text(name)


class _Reader:
    """Reads texts by the rules of projects, and knows texts in which nothing was to be found."""

    def __init__(self, names: tuple[str, ...], patterns: tuple[str, ...]) -> None:
        self._names = [normalised(name) for name in names if words_of(name)]
        self._patterns = patterns
        for pattern in patterns:
            compiled(pattern)
        self.kind_of = lru_cache(8192)(self._kind_of) if self._names else kind_of
        self.known: dict[Group, set[str]] = {group: set() for group in Group}

    def _kind_of(self, name: str) -> Kind:
        own_name = normalised(name)
        return Kind.PASSWORD if any(rule in own_name for rule in self._names) else kind_of(name)

    def noted(self, text: str, group: Group, seen: Seen) -> Iterator[Found]:
        """What a text names or shows; values of secrets are noted, to be removed elsewhere too."""
        named = () if group is Group.NAMES else assigned(text, group is Group.CODE, self.kind_of)
        for found in chain(shaped(text), named, own(text, self._patterns)):
            if found.is_header:
                seen.add_cookies(found.value, found.marker)
            if found.value:
                seen.add(found.value, found.marker, Strength.ANYWHERE)
            yield found


@lru_cache(maxsize=32)
def _reader(names: tuple[str, ...], patterns: tuple[str, ...]) -> _Reader:
    """One reader for all projects with the same rules."""
    return _Reader(names, patterns)
