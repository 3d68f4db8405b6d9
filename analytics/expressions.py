"""Expressions over components: they compute a value and print their own formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import itemgetter

from analytics.components import Components, positions
from storage.facts.fact import Fact

Number = int | float
Evaluate = Callable[[tuple[int, ...]], Number | None]


@dataclass(frozen=True, slots=True, eq=False)
class Expression:
    """A formula and the function that computes it; None where there is nothing to divide by."""

    formula: str
    evaluate: Evaluate
    compound: bool = False
    terms: tuple[int, ...] = ()  # the components it is the plain sum of, if it is one

    def __add__(self, other: Expression) -> Expression:
        formula = f"{self.formula} + {other.formula}"
        if self.terms and other.terms:
            terms = self.terms + other.terms
            each = itemgetter(*terms)
            return Expression(formula, lambda counts: sum(each(counts)), compound=True, terms=terms)
        left, right = self.evaluate, other.evaluate
        return Expression(
            formula, lambda counts: (left(counts) or 0) + (right(counts) or 0), compound=True
        )

    def __sub__(self, other: Expression) -> Expression:
        left, right = self.evaluate, other.evaluate
        return Expression(
            f"{self.formula} - {other._operand()}",
            lambda counts: (left(counts) or 0) - (right(counts) or 0),
            compound=True,
        )

    def __truediv__(self, other: Expression) -> Expression:
        left, right = self.evaluate, other.evaluate

        def divide(counts: tuple[int, ...]) -> Number | None:
            divided, divisor = left(counts), right(counts)
            return divided / divisor if divisor and divided is not None else None

        return Expression(f"{self._operand()} / {other._operand()}", divide, compound=True)

    def named(self, name: str) -> Expression:
        """The same value, printed by its name in other formulas."""
        return replace(self, formula=name, compound=False)

    def _operand(self) -> str:
        return f"({self.formula})" if self.compound else self.formula

    def of(self, components: Components) -> Number | None:
        return self.evaluate(components.counts)


def component(fact: Fact, name: str) -> Expression:
    """One component of a fact."""
    index = positions(fact)[name]
    return Expression(name, itemgetter(index), terms=(index,))


def constant(value: Number) -> Expression:
    return Expression(f"{value:,}".replace(",", "_"), lambda _counts: value)
