"""Whose turn it is: one waiting item a viewer, and the viewer served longest ago is next."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

REMEMBERED = 1_000
"""Viewers whose last turn is remembered; one who was forgotten counts as new."""


class FairQueue(Generic[T]):
    """Items by viewer. Not safe with threads: whoever shares it holds a lock.

    Each viewer has at most one item. Viewers who were never served come first, then those who
    were served longest ago; among equals, who came first.
    """

    def __init__(self) -> None:
        self._items: dict[str, T] = {}  # by viewer, in order of arrival
        self._served: deque[str] = deque(maxlen=REMEMBERED)  # viewers, the latest at the right

    def __contains__(self, item: T) -> bool:
        return any(other is item for other in self._items.values())

    def put(self, viewer: str, item: T) -> T | None:
        """Add an item, or replace the viewer's own in its position.

        Returns:
            The item that was replaced, or None.
        """
        replaced = self._items.get(viewer)
        self._items[viewer] = item
        return replaced

    def in_order(self) -> list[T]:
        """The items in the order in which they will be served."""
        rank = {viewer: number for number, viewer in enumerate(self._served)}
        return [self._items[v] for v in sorted(self._items, key=lambda v: rank.get(v, -1))]

    def ahead_of(self, item: T) -> list[T]:
        """The items that will be served before this one, which has to be in the queue."""
        items = self.in_order()
        return items[: next(n for n, other in enumerate(items) if other is item)]

    def pop(self) -> T | None:
        """Take out the next item and count its viewer as served; None where nobody waits."""
        items = self.in_order()
        if not items:
            return None
        viewer = self._viewer_of(items[0])
        if viewer in self._served:
            self._served.remove(viewer)
        self._served.append(viewer)
        return self._items.pop(viewer)

    def remove(self, item: T) -> None:
        """Take out an item, whose viewer does not count as served."""
        del self._items[self._viewer_of(item)]

    def clear(self) -> list[T]:
        """Take out all items.

        Returns:
            Them, in order.
        """
        items = self.in_order()
        self._items.clear()
        return items

    def _viewer_of(self, item: T) -> str:
        return next(viewer for viewer, other in self._items.items() if other is item)
