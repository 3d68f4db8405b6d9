"""Parts of errors: fingerprints, counts by release, function and deployment, spikes, comments."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from resolvers import error_fields, error_rates
from schema.nodes import instances_of
from schema.scalars import Long
from schema.things.deployments import Deployment
from schema.things.functions import Function
from schema.things.given import link, read
from storage.facts.deployments import DEPLOYMENTS
from storage.facts.invocations import INVOCATIONS

if TYPE_CHECKING:
    from schema.things.errors import Error


@strawberry.type(description="A part of an event that decides which error it belongs to.")
class ErrorGroupingPart:
    part: str = read("The part, such as IN_APP_FRAMES or MESSAGE_TEMPLATE.")
    values: list[str] = read("Its values, cut if they are many or long.")


@strawberry.type(description="A fingerprint: occurrences with the same one belong together.")
class ErrorFingerprint:
    id: UUID = read("The id of the fingerprint.")
    version: int = read("The version of the rules that made it.")
    decided_by: list[ErrorGroupingPart] = read("The parts of the event that decided it.")
    occurrences: Long = read("How many occurrences have it.")
    first_seen: datetime = read("When the first one occurred.")
    last_seen: datetime = read("When the latest one occurred.")

    is_type_of = instances_of(error_fields.Fingerprint)


@strawberry.type
class CountedValue:
    occurrences: Long = read("How often the error occurred with it.")
    first_seen: datetime = read("When it first occurred with it.")
    last_seen: datetime = read("When it last occurred with it.")


@strawberry.type(description="How often an error occurred in a release.")
class ErrorRelease(CountedValue):
    release: str = read("The release.")


@strawberry.type(description="How often an error occurred in a function.")
class ErrorFunction(CountedValue):
    name: str = read("The name of the function.")
    function = link(
        error_fields.function_of,
        Function | None,
        "The function; null if none was invoked.",
        facts=(INVOCATIONS.name,),
    )


@strawberry.type(description="How often an error occurred while a deployment was live.")
class ErrorDeployment(CountedValue):
    deployment = link(
        error_fields.deployment_of,
        Deployment | None,
        "The deployment; null if unknown.",
        facts=(DEPLOYMENTS.name,),
        of_entity=True,
    )


@strawberry.type(description="How often an error occurred in a bucket of time.")
class ErrorCount:
    start: datetime = read("The start, inside the bucket.")
    end: datetime = read("The end, outside the bucket.")
    occurrences: Long = read("The number of occurrences.")

    is_type_of = instances_of(error_rates.Point)


@strawberry.type(description="An hour in which an error occurred more often than before.")
class ErrorSpike:
    error: Annotated["Error", strawberry.lazy(".errors")] = read("The error.")
    started_at: datetime = read("The start of the first such hour of the last day.")
    occurrences: Long = read("How often it occurred in that hour.")
    expected: float = read("The average of that hour in the seven days before.")

    is_type_of = instances_of(error_rates.Spike)


@strawberry.type(description="A comment on an error.")
class ErrorComment:
    id: strawberry.ID = read("The id, to delete it by.")
    author: str = read("The claim `sub` of the author's token.")
    text: str = read("The text.")
    created_at: datetime = read("When it was written.")

    is_type_of = instances_of(error_fields.Comment)


@strawberry.type(description="An error that is merged into another one.")
class MergedError:
    id: strawberry.ID = read("Its global id, which leads to the other error until it is unmerged.")
    title: str = read("Its title when it was merged.")
    error_type: str | None = read("Its type; null for a message.")
    culprit: str | None = read("Where it occurred; null if unknown.")
