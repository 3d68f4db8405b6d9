"""The type of a project's members, and the mutations by which admins add and remove them."""

from enum import Enum
from typing import Annotated

import strawberry

from access.viewers import Permission
from resolvers import members as resolvers
from schema.declarations import mutation, optional, valued
from schema.errors import WHY_REFUSED, UserError
from schema.info import Info
from schema.nodes import Node, instances_of
from storage import members

Root = strawberry.Parent[resolvers.Member]


@strawberry.enum(description="What a member is to the project.")
class MemberRole(Enum):
    OWNER = valued(members.MemberRole.OWNER, "Answers for the project.")
    MEMBER = valued(members.MemberRole.MEMBER, "Works on the project.")


@strawberry.enum(description="Where a member comes from.")
class MemberSource(Enum):
    ADMIN = valued(members.MemberSource.ADMIN, "An admin added or changed the member.")
    TOKEN = valued(members.MemberSource.TOKEN, "The claims of the member's own token.")


@strawberry.type(description="A person who belongs to a project, and whom errors are assigned to.")
class Member(Node):
    subject: str = strawberry.field(description="The claim `sub` of the member's tokens.")
    role: MemberRole = strawberry.field(description="What the member is to the project.")
    source: MemberSource = strawberry.field(description="Where the member comes from.")

    @strawberry.field(
        description="The e-mail address, for maintainers and admins; null for others or if unknown."
    )
    def email(self, parent: Root, info: Info) -> str | None:
        return parent.email if info.context.viewer.may(Permission.MANAGE) else None

    is_type_of = instances_of(resolvers.Member)


@strawberry.input(description="A member to add or change.")
class MemberInput:
    project: str = strawberry.field(description="The slug of the project.")
    subject: str = strawberry.field(description="The claim `sub` of the member's tokens.")
    email: str | None = optional("The e-mail address; unchanged by default.")
    role: MemberRole | None = optional("The role; unchanged by default, MEMBER of a new one.")


@strawberry.type(description="The result of upsertMember.")
class UpsertMemberPayload:
    member: Member | None = strawberry.field(description="The member; null if refused.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.input(description="A member to remove.")
class RemoveMemberInput:
    project: str = strawberry.field(description="The slug of the project.")
    subject: str = strawberry.field(description="The claim `sub` of the member's tokens.")


@strawberry.type(description="The result of removeMember.")
class RemoveMemberPayload:
    removed: bool = strawberry.field(description="True if there was such a member.")
    user_errors: list[UserError] = strawberry.field(description=WHY_REFUSED)


@strawberry.type
class MemberMutations:
    @mutation(
        Permission.PROVISION,
        "Adds or changes a member of a project; tokens no longer change this member.",
        targets=("project",),
    )
    async def upsert_member(
        self, info: Info, input: Annotated[MemberInput, strawberry.argument("The member.")]
    ) -> UpsertMemberPayload:
        role = None if input.role is None else members.MemberRole[input.role.name]
        fields = members.MemberFields(input.subject, input.email, role)
        member, errors = await resolvers.upsert(info.context, input.project, fields)
        return UpsertMemberPayload(member=member, user_errors=errors)  # type: ignore[arg-type]

    @mutation(
        Permission.PROVISION,
        "Removes a member of a project; a token that still claims to be one adds it again.",
        targets=("project",),
    )
    async def remove_member(
        self, info: Info, input: Annotated[RemoveMemberInput, strawberry.argument("The member.")]
    ) -> RemoveMemberPayload:
        removed, errors = await resolvers.remove(info.context, input.project, input.subject)
        return RemoveMemberPayload(removed=removed, user_errors=errors)  # type: ignore[arg-type]
