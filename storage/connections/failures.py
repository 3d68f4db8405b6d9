"""Turns what the database driver raises into the error tree."""

from types import TracebackType

import asyncpg

from storage.errors import Conflict, GatewayError, Timeout, Unavailable

# Errors that say the connection is gone, not that the statement was wrong.
_LOST_CONNECTION: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)

# The same transaction succeeds when it is simply sent again.
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


def lost_connection(error: BaseException | None) -> bool:
    if isinstance(error, _LOST_CONNECTION):
        return True
    # The driver has one class for its own misuse and for a connection that closed meanwhile.
    closed = "closed" in str(error) or "released" in str(error)
    return type(error) is asyncpg.InterfaceError and closed


def unfit_text(error: BaseException) -> bool:
    """Whether a text among the parameters holds what no text can hold: NUL or half a character."""
    return isinstance(error, asyncpg.CharacterNotInRepertoireError) or isinstance(
        error.__cause__, UnicodeEncodeError
    )


def translate(error: BaseException) -> GatewayError | None:
    """The error to raise instead, or None where the driver's error is a fault of ours."""
    if isinstance(error, _CONFLICTS):
        return Conflict("Another transaction was in the way")
    if isinstance(error, _TIMEOUTS):
        return Timeout("The database took longer than it may")
    if isinstance(error, asyncpg.TooManyConnectionsError):
        return Unavailable("The database takes no more connections")
    if isinstance(error, _UNAVAILABLE) or lost_connection(error):
        return Unavailable("The database cannot be reached")
    return None


class Translated:
    """Raises in their place what the driver's errors mean. A generator would cost every read."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, _kind: object, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if error is None or isinstance(error, GatewayError) or not isinstance(error, Exception):
            return
        replacement = translate(error)
        if replacement is not None:
            raise replacement from error
