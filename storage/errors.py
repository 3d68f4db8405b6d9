"""The error tree: every failure that clients may see.

    GatewayError
    ├── InvalidInput       the request has a value that cannot be accepted
    ├── Unauthenticated    no token, or a token that is not valid
    ├── Forbidden          the viewer lacks the permission
    ├── NotFound           does not exist, or is outside the viewer's scope
    ├── LimitExceeded      too much at once; the limit is named
    │   └── TooLarge       too many bytes
    ├── RateLimited        too many requests
    ├── Timeout            the work took too long
    └── Unavailable        cannot be answered now; the same request may succeed later
        ├── Overloaded     the database is up, but all connections to it stayed in use
        └── Conflict       lost against another transaction; can be sent again at once

Messages are shown to clients, so they name neither drivers nor addresses. All other errors are
masked and logged.
"""


class GatewayError(Exception):
    code = "INTERNAL"
    http_status = 500

    def __init__(self, message: str, *, path: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path


class InvalidInput(GatewayError):
    code = "BAD_USER_INPUT"
    http_status = 400


class Unauthenticated(GatewayError):
    code = "UNAUTHENTICATED"
    http_status = 401


class Forbidden(GatewayError):
    code = "FORBIDDEN"
    http_status = 403


class NotFound(GatewayError):
    code = "NOT_FOUND"
    http_status = 404


class LimitExceeded(GatewayError):
    code = "LIMIT_EXCEEDED"
    http_status = 422

    def __init__(self, message: str, *, limit: str, path: str | None = None) -> None:
        super().__init__(message, path=path)
        self.limit = limit


class TooLarge(LimitExceeded):
    http_status = 413


class RateLimited(GatewayError):
    code = "RATE_LIMITED"
    http_status = 429

    def __init__(self, message: str, *, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Timeout(GatewayError):
    code = "TIMEOUT"
    http_status = 504


class Unavailable(GatewayError):
    code = "UNAVAILABLE"
    http_status = 503

    retry_after_seconds = 5.0

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds or self.retry_after_seconds


class Overloaded(Unavailable):
    code = "OVERLOADED"
    retry_after_seconds = 2.0


class Conflict(Unavailable):
    retry_after_seconds = 1.0
