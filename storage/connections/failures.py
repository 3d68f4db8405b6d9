"""Translates the database driver's errors into the gateway's."""

from types import TracebackType

import asyncpg

from storage.errors import Conflict, GatewayError, Timeout, Unavailable

# The connection is gone; the statement may be right.
_LOST_CONNECTION: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)

# The same transaction succeeds when it is sent again.
_CONFLICTS: tuple[type[BaseException], ...] = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.InvalidCachedStatementError,
)

_TIMEOUTS: tuple[type[BaseException], ...] = (
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    TimeoutError,
)

_UNAVAILABLE: tuple[type[BaseException], ...] = (
    *_LOST_CONNECTION,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # the database takes no connections at the moment
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InternalClientError,
)


# What the driver raises where a connection broke, or is used though it broke. The last one: where
# the server ended in the middle of an answer.
BROKEN: tuple[type[Exception], ...] = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def lost_connection(error: BaseException | None) -> bool:
    if isinstance(error, _LOST_CONNECTION):
        return True
    # The driver raises the same class for wrong use and for a connection that was closed.
    closed = "closed" in str(error) or "released" in str(error)
    return type(error) is asyncpg.InterfaceError and closed


def unfit_text(error: BaseException) -> bool:
    """Whether a text parameter holds NUL or a lone surrogate, which Postgres cannot store."""
    return isinstance(error, asyncpg.CharacterNotInRepertoireError) or isinstance(
        error.__cause__, UnicodeEncodeError
    )


def translate(error: BaseException) -> GatewayError | None:
    """The error to raise instead, or None if the driver's error is a bug in this program."""
    if isinstance(error, _CONFLICTS):
        return Conflict("Another transaction changed the same rows: try again")
    if isinstance(error, _TIMEOUTS):
        return Timeout("The database took too long to answer")
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return Unavailable("The database takes no more connections")
    if isinstance(error, _UNAVAILABLE) or lost_connection(error):
        return Unavailable("The database cannot be reached")
    return None


class Translated:
    """Raises the translation of a driver's error. A generator would slow every read."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, GatewayError) or not isinstance(error, Exception):
            return
        replacement = translate(error)
        if replacement is not None:
            raise replacement from error
