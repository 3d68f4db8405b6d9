"""Names of fields and enum values, made from the declarations of facts."""

import re

from strawberry.utils.str_converters import capitalize_first, to_camel_case

from storage.facts.fact import Fact

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


def python_name(fact: Fact) -> str:
    """The stem as it begins Python names: `BuildPhase` gives `build_phase`."""
    return _WORD_START.sub("_", fact.stem).lower()


def constant_name(fact: Fact) -> str:
    """The stem as it begins enum values: `BuildPhase` gives `BUILD_PHASE`."""
    return python_name(fact).upper()


def stats_name(fact: Fact) -> str:
    """The GraphQL name of the fact's statistics: `BuildPhase` gives `buildPhaseStats`."""
    return to_camel_case(f"{python_name(fact)}_stats")


def type_name(fact: Fact) -> str:
    """The name of a row as it begins GraphQL types: `api_call` gives `ApiCall`."""
    return capitalize_first(to_camel_case(fact.name))
