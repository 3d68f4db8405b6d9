"""The state of one instance of a rule, and how it advances: pure, with the clock passed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

# Longer pauses between evaluations restart what is timed: nobody knows what happened meanwhile.
LONGEST_GAP = timedelta(minutes=5)
# A failure is told once it has lasted so long: a statement that times out, or a database that
# restarts, is over by then, and somebody who is told at once of each learns to ignore it.
FAILING_AFTER = timedelta(minutes=5)
# An instance that fires so often within this time is flapping, until it is steady for as long.
FLAPPING_FIRINGS = 4
FLAPPING_WITHIN = timedelta(hours=1)


class Phase(IntEnum):
    """Where an instance is; the numbers are stored."""

    INACTIVE = 0
    PENDING = 1  # wrong, but not for long enough
    FIRING = 2


class Health(IntEnum):
    """Whether the last evaluation could judge; apart from the phase. The numbers are stored."""

    OK = 0
    NO_DATA = 1
    ERROR = 2
    FAILING = 3  # an ERROR that has lasted, and was told


class Outcome(StrEnum):
    """What one evaluation of an instance found."""

    BREACH = "breach"
    CLEAR = "clear"
    NO_DATA = "no_data"
    ERROR = "error"
    GONE = "gone"  # its rule or its subject no longer exists


class Transition(StrEnum):
    """What is stored in the history of an instance."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"
    GONE = "gone"
    CALMED = "calmed"  # pending, but right again before it fired
    FLAPPING = "flapping"
    STEADY = "steady"  # no longer flapping
    ACKNOWLEDGED = "acknowledged"
    FAILING = "failing"  # it has not been evaluated for FAILING_AFTER
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Timing:
    """How long it must be wrong before an instance fires, and right before it stops.

    A firing instance without data for ``gone_after_seconds`` is gone.
    """

    for_seconds: int = 0
    keep_firing_seconds: int = 0
    gone_after_seconds: int = 3_600


@dataclass(frozen=True, slots=True)
class State:
    """The state of an instance; times are those of evaluations.

    ``since`` is when the phase began, ``clear_since`` when a firing instance was first right again.
    ``firings`` are the recent times at which it fired, to recognise flapping.
    """

    phase: Phase
    since: datetime
    clear_since: datetime | None = None
    health: Health = Health.OK
    health_since: datetime | None = None
    firings: tuple[datetime, ...] = ()
    flapping: bool = False

    @classmethod
    def initial(cls, now: datetime) -> State:
        """The state before the first evaluation."""
        return cls(Phase.INACTIVE, now)


Advanced = tuple[State, Transition | None]

_HEALTH = {Outcome.NO_DATA: Health.NO_DATA, Outcome.ERROR: Health.ERROR}


def advance(
    state: State,
    outcome: Outcome,
    now: datetime,
    timing: Timing,
    before: datetime | None = None,
) -> Advanced:
    """Moves an instance one evaluation forward; ``before`` is the time of the last evaluation.

    Nothing changes until the clock has passed ``before``, so an evaluation may be repeated. After
    a gap whatever is timed starts anew. NO_DATA and ERROR change the health alone, until a firing
    instance has had no data for so long that it is gone. The transition is that of the phase or of
    flapping that is over; `told` adds those of the health.
    """
    if before is not None and now <= before:
        return state, None
    if before is not None and now - before > LONGEST_GAP:
        state = _restarted(state, now)
    healthy = _with_health(state, outcome, now)
    advanced, transition = _phase(healthy, outcome, now, timing)
    if transition is None and _is_steady(advanced, now):
        return replace(advanced, flapping=False, firings=()), Transition.STEADY
    return advanced, transition


def told(before: State, after: State, transition: Transition | None) -> tuple[Transition, ...]:
    """Returns what an advance tells: the transition, that the instance has begun to flap, and that
    it fails or has recovered."""
    begins = after.flapping and not before.flapping
    found = transition, Transition.FLAPPING if begins else None, _of_health(before, after)
    return tuple(each for each in found if each is not None)


def _restarted(state: State, now: datetime) -> State:
    """The state after a gap, in which nobody knows what happened."""
    return replace(
        state,
        since=now if state.phase is Phase.PENDING else state.since,
        clear_since=state.clear_since and now,
        health_since=state.health_since if _fails(state) else state.health_since and now,
    )


def _with_health(state: State, outcome: Outcome, now: datetime) -> State:
    health = _HEALTH.get(outcome, Health.OK)
    # An end is no evaluation: it does not mean that there are any again.
    if _fails(state) and (health is Health.ERROR or outcome is Outcome.GONE):
        return state
    if health is state.health:
        lasts = health is Health.ERROR and now - (state.health_since or now) >= FAILING_AFTER
        return replace(state, health=Health.FAILING) if lasts else state
    return replace(state, health=health, health_since=None if health is Health.OK else now)


def _phase(state: State, outcome: Outcome, now: datetime, timing: Timing) -> Advanced:
    match state.phase, outcome:
        case Phase.INACTIVE, Outcome.BREACH:
            pending = replace(state, phase=Phase.PENDING, since=now)
            return (pending, Transition.PENDING) if timing.for_seconds else _fired(state, now)
        case Phase.PENDING, Outcome.BREACH:
            is_due = now - state.since >= timedelta(seconds=timing.for_seconds)
            return _fired(state, now) if is_due else (state, None)
        case Phase.PENDING, Outcome.CLEAR | Outcome.GONE:
            return _ended(state, now), Transition.CALMED
        case Phase.FIRING, Outcome.BREACH:
            return replace(state, clear_since=None), None
        case Phase.FIRING, Outcome.CLEAR:
            return _clear(state, now, timing)
        case Phase.FIRING, Outcome.GONE:
            return _ended(state, now), Transition.GONE
        case Phase.PENDING | Phase.FIRING, Outcome.NO_DATA:
            return _without_data(state, now, timing)
    return state, None


def _fired(state: State, now: datetime) -> Advanced:
    firings = (*state.firings, now)[-FLAPPING_FIRINGS:]
    often = len(firings) == FLAPPING_FIRINGS and now - firings[0] < FLAPPING_WITHIN
    fired = replace(
        state,
        phase=Phase.FIRING,
        since=now,
        firings=firings,
        flapping=state.flapping or often,
    )
    return fired, Transition.FIRING


def _clear(state: State, now: datetime, timing: Timing) -> Advanced:
    clear_since = state.clear_since or now
    if now - clear_since >= timedelta(seconds=timing.keep_firing_seconds):
        return _ended(state, now), Transition.RESOLVED
    return replace(state, clear_since=clear_since), None


def _without_data(state: State, now: datetime, timing: Timing) -> Advanced:
    since = state.health_since or now
    if now - since < timedelta(seconds=timing.gone_after_seconds):
        return state, None
    is_firing = state.phase is Phase.FIRING
    return _ended(state, now), Transition.GONE if is_firing else Transition.CALMED


def _ended(state: State, now: datetime) -> State:
    return replace(state, phase=Phase.INACTIVE, since=now, clear_since=None)


def _is_steady(state: State, now: datetime) -> bool:
    return state.flapping and now - state.since >= FLAPPING_WITHIN


def _of_health(before: State, after: State) -> Transition | None:
    if _fails(before) == _fails(after):
        return None
    return Transition.FAILING if _fails(after) else Transition.RECOVERED


def _fails(state: State) -> bool:
    return state.health is Health.FAILING
