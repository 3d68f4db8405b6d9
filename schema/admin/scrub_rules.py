"""What a project calls secret in its errors."""

from typing import Annotated

import strawberry

from access.viewers import Permission
from ingest.scrubbing import BUILT_IN
from resolvers import scrub_rules as resolvers
from resolvers.scrub_rules import RULES_AT_MOST
from schema.declarations import STATEMENT, field, mutation, optional
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info

_NAMES = (
    f"Names of fields, headers, variables and parameters whose values are removed, at most"
    f" {RULES_AT_MOST}; `customer ref` is `customerRef` and `old_customer_ref` too."
)
_PATTERNS = (
    f"Texts that are removed wherever they are, at most {RULES_AT_MOST}: `*` stands for any"
    " characters but spaces, `#` for a digit."
)


@strawberry.type(description="Something that is removed from the errors of every project.")
class BuiltInScrubRule:
    what: str = strawberry.field(description="What it is; code is in backticks.")
    found: str = strawberry.field(description="How it is found; code is in backticks.")
    replacement: str = strawberry.field(
        description="What stands in its place; code is in backticks."
    )


@strawberry.type(description="What a project calls secret in its errors, beyond the usual.")
class ScrubRules:
    names: list[str] = strawberry.field(description=_NAMES)
    patterns: list[str] = strawberry.field(description=_PATTERNS)
    revision: str = strawberry.field(description="A text that changes whenever the rules do.")

    @strawberry.field(description="What is removed from the errors of every project.")
    def built_in(self) -> list[BuiltInScrubRule]:
        return list(BUILT_IN)  # type: ignore[arg-type]


@strawberry.input(description="The rules of a project, in the place of those before.")
class ScrubRulesInput:
    project: str = strawberry.field(description="The slug of the project.")
    names: list[str] = strawberry.field(description=_NAMES, default_factory=list)
    patterns: list[str] = strawberry.field(description=_PATTERNS, default_factory=list)
    revision: str | None = optional(
        "The revision that the change starts from; it is refused if the rules have another by now."
    )


@strawberry.type(description="The result of setScrubRules.")
class SetScrubRulesPayload:
    scrub_rules: ScrubRules | None = strawberry.field(
        description="The rules; null if they are refused."
    )
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type
class ScrubRuleQueries:
    @field(
        Permission.MANAGE,
        "What a project calls secret in its errors; null on error.",
        weight=STATEMENT,
    )
    async def scrub_rules(
        self,
        info: Info,
        project: Annotated[str, strawberry.argument("The slug of the project.")],
    ) -> ScrubRules | None:
        return await resolvers.rules_of(info.context, project)  # type: ignore[return-value]


@strawberry.type
class ScrubRuleMutations:
    @mutation(
        Permission.MANAGE,
        "Sets what a project calls secret in its errors; holds for what comes from now on.",
        targets=("project",),
    )
    async def set_scrub_rules(
        self, info: Info, input: Annotated[ScrubRulesInput, strawberry.argument("The rules.")]
    ) -> SetScrubRulesPayload:
        done = await resolvers.put(
            info.context, input.project, input.names, input.patterns, input.revision
        )
        return SetScrubRulesPayload(scrub_rules=done.rules, user_errors=done.user_errors)  # type: ignore[arg-type]
