"""The platform that the benchmark makes up: its projects, and the names that each of them uses."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from random import Random

PROJECTS = 1_000
NETWORKS = ("metis", "hyperion", "network-3", "network-4", "network-5", "network-6")
TEMPLATES = 40
FRAMEWORKS = ("next", "astro", "remix", "nuxt", "svelte", "hardhat", "foundry", "vite")
ENVIRONMENTS = ("production", "staging", "preview")
FUNCTIONS = 200
RUNTIMES = ("node22", "node20", "python3.12", "go1.24")
REGIONS = ("fra1", "iad1", "sfo1", "sin1")
# Times three environments: 240 series.
MOST_COMBINATIONS = 80
DAYS = 90
YEAR_DAYS = 365

PROJECT_SLUGS = tuple(f"project-{rank}" for rank in range(1, PROJECTS + 1))
# The project of rank n has 1/n of the events of the first project.
PROJECT_WEIGHTS = tuple(1 / rank for rank in range(1, PROJECTS + 1))
_RANKS = range(1, PROJECTS + 1)
_UP_TO = tuple(accumulate(PROJECT_WEIGHTS))


@dataclass(frozen=True, slots=True)
class Pair:
    """A network and a template that a project deploys to it, made with a framework."""

    network: str
    template: str
    framework: str


@dataclass(frozen=True, slots=True)
class Place:
    """A function of a project, with its runtime, in one of its regions."""

    function: str
    runtime: str
    region: str


def drawn_rank(generator: Random) -> int:
    """The rank of a project; those with more events are drawn more often."""
    return generator.choices(_RANKS, cum_weights=_UP_TO)[0]


def pairs(rank: int) -> list[Pair]:
    """The pairs of the project of this rank, the most used first: 80 for each of the ten largest,
    one for the smallest."""
    found = []
    for number in range(_combinations(rank)):
        template = (7 * rank + number) % TEMPLATES
        # The second time a template occurs, it has another network.
        network = NETWORKS[(rank + number + number // TEMPLATES) % len(NETWORKS)]
        framework = FRAMEWORKS[template % len(FRAMEWORKS)]
        found.append(Pair(network, f"template-{template + 1}", framework))
    return found


@cache
def places(rank: int) -> tuple[Place, ...]:
    """The places of the project of this rank, the most used first: 20 functions in four regions
    for each of the ten largest, one function in one region for the smallest."""
    found = []
    for number in range(_combinations(rank)):
        function = (7 * rank + number // len(REGIONS)) % FUNCTIONS
        region = REGIONS[(rank + number) % len(REGIONS)]
        found.append(Place(f"function-{function + 1}", RUNTIMES[function % len(RUNTIMES)], region))
    return tuple(found)


def _combinations(rank: int) -> int:
    return max(1, min(MOST_COMBINATIONS, 10 * MOST_COMBINATIONS // rank))


def thresholds() -> list[float]:
    """The thresholds at which a number between 0 and 1 passes to the next project."""
    return [so_far / _UP_TO[-1] for so_far in _UP_TO[:-1]]
