"""How long each figure is measured: in a whole run, and in a quick run on few deployments."""

from dataclasses import dataclass

QUICK_BELOW = 200_000


@dataclass(frozen=True, slots=True)
class Effort:
    """The numbers of rounds, process starts, seconds, changes, questions, and thousands of errors
    beside the dashboard's deployments, of a run."""

    rounds: int
    starts: int
    load_seconds: float
    turns: int
    turn_seconds: float
    ingest_seconds: float
    changes: int
    busy_seconds: float
    questions: int
    error_batches: int
    page_seconds: float


WHOLE = Effort(
    rounds=100,
    starts=3,
    load_seconds=2.0,
    turns=3,
    turn_seconds=0.8,
    ingest_seconds=12.0,
    changes=20,
    busy_seconds=15.0,
    questions=2_000,
    error_batches=50,
    page_seconds=300.0,
)
QUICK = Effort(
    rounds=20,
    starts=1,
    load_seconds=0.5,
    turns=1,
    turn_seconds=0.5,
    ingest_seconds=3.0,
    changes=5,
    busy_seconds=4.0,
    questions=200,
    error_batches=5,
    page_seconds=20.0,
)


def effort_for(deployments: int) -> Effort:
    return QUICK if deployments < QUICK_BELOW else WHOLE
