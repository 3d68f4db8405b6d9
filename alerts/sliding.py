"""Sums over a moving window of buckets, each bucket added and dropped once."""

from __future__ import annotations

from collections.abc import Iterable

from analytics.components import Components, total


class Sliding:
    """The sum of a moving window of cells: a queue of two stacks, so peaks need no subtraction.

    ``cells`` are those with rows, each with the number of its bucket, in order.
    """

    def __init__(self, cells: Iterable[tuple[int, Components]], empty: Components) -> None:
        self._cells = list(cells)
        self._empty = empty
        self._next = 0  # the first cell that has not been added yet
        # Of each cell that is dropped before those added lately: the sum from it to the last one.
        self._older: list[tuple[int, Components]] = []
        self._newer: list[tuple[int, Components]] = []
        self._newer_sum = empty
        self._sum = empty

    def over(self, low: int, high: int) -> Components:
        """Returns the sum of the buckets from low up to, not including, high.

        Neither may be less than in the call before. The same object is returned as long as no
        cell came or went.
        """
        changed = self._add(high)
        changed |= self._drop(low)
        if changed:
            self._sum = self._total()
        return self._sum

    def _total(self) -> Components:
        if not self._older:
            return self._newer_sum
        older = self._older[-1][1]
        return self._plus(older, self._newer_sum) if self._newer else older

    def _plus(self, left: Components, right: Components) -> Components:
        return total((left, right), self._empty)

    def _add(self, high: int) -> bool:
        first = self._next
        while self._next < len(self._cells) and self._cells[self._next][0] < high:
            bucket, cell = self._cells[self._next]
            self._newer_sum = self._plus(self._newer_sum, cell) if self._newer else cell
            self._newer.append((bucket, cell))
            self._next += 1
        return self._next > first

    def _drop(self, low: int) -> bool:
        changed = False
        while self._older and self._older[-1][0] < low:
            self._older.pop()
            changed = True
        if not self._older and self._newer and self._newer[0][0] < low:
            self._turn(low)
            changed = True
        return changed

    def _turn(self, low: int) -> None:
        """Makes the newer cells the older ones, without those that have passed."""
        for bucket, cell in reversed(self._newer):
            if bucket < low:
                break
            sum_ = self._plus(cell, self._older[-1][1]) if self._older else cell
            self._older.append((bucket, sum_))
        self._newer, self._newer_sum = [], self._empty
