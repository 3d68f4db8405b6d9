"""The fields that service tokens and project keys have in common."""

from datetime import datetime

import strawberry


@strawberry.type
class Credential:
    """Who created and revoked it, and when it was used."""

    created_by: str = strawberry.field(description="The subject who created it.")
    created_at: datetime = strawberry.field(description="When it was created.")
    revoked_at: datetime | None = strawberry.field(
        description="When it was revoked; null if it was not."
    )
    revoked_by: str | None = strawberry.field(
        description="The subject who revoked it; null if it was not."
    )
    last_used_at: datetime | None = strawberry.field(
        description="When it was last used, to the minute; null if never."
    )
