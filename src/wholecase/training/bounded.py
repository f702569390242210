"""Things in groups that memory holds."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def bounded(
    items: Iterable[Item], size: Callable[[Item], int], most_instances: int, most_items: int
) -> Iterator[list[Item]]:
    """Items in order, as many together as both bounds allow, and at least one."""
    group: list[Item] = []
    total = 0
    for item in items:
        here = size(item)
        if group and (len(group) == most_items or total + here > most_instances):
            yield group
            group, total = [], 0
        group.append(item)
        total += here
    if group:
        yield group
