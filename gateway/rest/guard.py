"""slowapi on the REST routes: what one process takes from one sender, whatever the stores say.

It counts in the process alone, so it never waits for a server. The shared budgets are counted in
`gateway.admission`; this bounds the requests themselves, which events and bytes do not.
"""

import time
from math import ceil

from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.requests import Request
from starlette.responses import Response

from gateway.http.errors import error_response
from gateway.http.internals import refused_until
from gateway.http.requests import address_of, request_id_of, viewer_or_none
from storage.errors import RateLimited

REQUESTS = "6000/minute"


def sender_of(request: Request) -> str:
    """Whose requests are counted together."""
    viewer = viewer_or_none(request)
    return viewer.key if viewer else f"address:{address_of(request)}"


def guard(enabled: bool) -> Limiter:
    return Limiter(
        key_func=sender_of, storage_uri="memory://", strategy="moving-window", enabled=enabled
    )


async def refuse(request: Request, error: Exception) -> Response:
    """slowapi's refusal in our form."""
    assert isinstance(error, RateLimitExceeded)
    refusal = RateLimited(
        f"Too many requests: {error.detail}. Send more events in each.",
        retry_after_seconds=max(1, ceil(refused_until(request) - time.time())),
    )
    return error_response(refusal, request.scope, request_id_of(request))
