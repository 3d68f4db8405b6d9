"""Tells whether one network or template explains a failure that many projects have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analytics.significance import ALPHA
from analytics.tails import hypergeometric_at_least
from storage.dimensions import OTHER

# A network or template explains a failure if this share of its projects is there.
LEAST_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Explanation:
    """A network or template by its id, to which a failure keeps.

    Of the projects with the failure, ``projects`` are there, the fraction ``share``; of all
    projects, the fraction ``usual_share`` is. ``p_value`` is adjusted for the number of tests.
    """

    id: int
    projects: int
    share: float
    usual_share: float
    p_value: float


def explanation(
    failing: Mapping[int, int], all_projects: Mapping[int, int], tests: int
) -> Explanation | None:
    """Returns the network or template that explains a failure, or None if none does.

    Both arguments count projects by network, or by template; a project on two counts twice. The
    test is Fisher's, as if the failing projects were drawn from all. ``tests`` is how many such
    questions are asked together.
    """
    id = max(failing, key=failing.__getitem__)
    drawn, whole = sum(failing.values()), sum(all_projects.values())
    share = failing[id] / drawn
    if id <= OTHER or share < LEAST_SHARE:  # no other one has such a share either
        return None
    p = hypergeometric_at_least(failing[id], whole, all_projects[id], drawn)
    p = min(1.0, p * tests * sum(each > OTHER for each in failing))
    if p > ALPHA:
        return None
    return Explanation(id, failing[id], share, all_projects[id] / whole, p)
