"""What a mutation says of input that its sender can mend."""

import strawberry


@strawberry.type(description="Something in the input that its sender can mend.")
class UserError:
    field: str | None = strawberry.field(
        description="Where in the input, such as inputs.3.time; null when it is all of it."
    )
    code: str = strawberry.field(description="What is wrong, for programs.")
    message: str = strawberry.field(description="What is wrong, for people.")
