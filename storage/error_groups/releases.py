"""The order of releases: by semantic version if both have one, else by when each was first seen."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

_VERSION = re.compile(
    r"v?(?P<numbers>\d{1,9}(\.\d{1,9}){0,3})(-(?P<early>[0-9A-Za-z.-]{1,100}))?(\+[\w.-]*)?"
)

# When each release of a project was first seen.
FirstSeen = Mapping[str, datetime]


class _Version(NamedTuple):
    package: str
    numbers: tuple[int, ...]
    early: tuple[tuple[bool, int, str], ...] | None  # None comes after any early version


def is_older(release: str, other: str, first_seen: FirstSeen) -> bool:
    """Whether a release came before another one of the same project.

    Names such as `shop@1.2.3-beta.1+45` are read as a package and a semantic version
    (https://semver.org, clause 11); they are compared only within a package. A release that was
    never seen comes after all that were: an error may be resolved in one that is yet to come.
    """
    if release == other:
        return False
    mine, its = _version(release), _version(other)
    if mine and its and mine.package == its.package and _rank(mine) != _rank(its):
        return _rank(mine) < _rank(its)
    seen, other_seen = first_seen.get(release), first_seen.get(other)
    return seen is not None and (other_seen is None or seen < other_seen)


@lru_cache(maxsize=10_000)
def _version(release: str) -> _Version | None:
    package, _, text = release.rpartition("@")
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    numbers = tuple(int(number) for number in found["numbers"].split("."))
    early = found["early"]
    parts = None if early is None else tuple(map(_part, early.split(".")))
    return _Version(package, (*numbers, 0, 0, 0)[:4], parts)


def _part(text: str) -> tuple[bool, int, str]:
    """Numbers come before words, and are compared as numbers."""
    return (False, int(text), "") if text.isdigit() else (True, 0, text)


def _rank(version: _Version) -> tuple[object, ...]:
    early = version.early
    return version.numbers, early is None, early or ()
