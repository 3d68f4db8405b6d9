"""The faults of the demo's programs: what goes wrong in each language, and where."""

from dataclasses import dataclass

BROWSER, NODE, PYTHON = "javascript", "node", "python"

# The language of each framework's programs.
LANGUAGES = {
    "nextjs": NODE,
    "express": NODE,
    "fastapi": PYTHON,
    "react": BROWSER,
    "vue": BROWSER,
    "svelte": BROWSER,
    "astro": BROWSER,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault: `{}` in its message stands for a number; frames are file, function and line."""

    type: str
    message: str
    culprit: str
    frames: tuple[tuple[str, str, int], ...]
    level: str = "error"


FAULTS = {
    BROWSER: (
        Fault(
            "TypeError",
            "Cannot read properties of undefined (reading 'balance')",
            "/accounts",
            (("src/store/accounts.ts", "loadAccount", 61), ("src/views/Account.tsx", "render", 24)),
        ),
        Fault(
            "ChunkLoadError",
            "Loading chunk {} failed",
            "/",
            (("src/router.ts", "openRoute", 38),),
            "warning",
        ),
        Fault(
            "NetworkError",
            "Request {} timed out after 8000 ms",
            "/transactions",
            (("src/api/client.ts", "send", 92), ("src/store/history.ts", "refresh", 17)),
        ),
    ),
    NODE: (
        Fault(
            "QueryTimeoutError",
            "Query {} took longer than 5000 ms",
            "GET /items",
            (("src/server/routes.ts", "listItems", 44), ("src/server/pool.ts", "query", 120)),
        ),
        Fault(
            "ValidationError",
            "Field amount must be positive, got -{}",
            "POST /orders",
            (("src/server/orders.ts", "createOrder", 73), ("src/server/schema.ts", "check", 15)),
            "warning",
        ),
        Fault(
            "RpcError",
            "Block {} is not known yet",
            "sync",
            (("src/chain/sync.ts", "nextBlock", 58), ("src/chain/rpc.ts", "call", 31)),
        ),
    ),
    PYTHON: (
        Fault(
            "KeyError",
            "'session-{}'",
            "/sessions",
            (("app/api.py", "get_session", 88), ("app/sessions.py", "find", 41)),
        ),
        Fault(
            "OperationalError",
            "deadlock detected: process {} waits for a lock",
            "/jobs",
            (("app/jobs.py", "run_job", 133), ("app/database.py", "execute", 57)),
            "fatal",
        ),
        Fault(
            "TimeoutError",
            "Model did not answer within {} s",
            "/replies",
            (("app/replies.py", "reply", 29), ("app/models.py", "complete", 75)),
        ),
    ),
}

# What the faulty release brought to a function.
NEW_FAULT = Fault(
    "TypeError",
    "Cannot read properties of null (reading 'total')",
    "POST /checkout",
    (("src/functions/checkout.ts", "handler", 52), ("src/functions/cart.ts", "totalOf", 19)),
    "fatal",
)
# What was resolved, and came back with a later release.
RETURNING_FAULT = Fault(
    "StaleSessionError",
    "Session {} has ended",
    "/quests",
    (("src/routes/Quests.svelte", "load", 17), ("src/session.ts", "renew", 46)),
)
# What the program of the broken endpoint always had, and oftener while it was broken.
SPIKING_FAULT = Fault(
    "ExchangeUnavailableError",
    "Exchange did not answer request {}",
    "GET /prices/{pair}",
    (("src/server/prices.ts", "priceOf", 36), ("src/server/exchange.ts", "fetchPair", 81)),
)
