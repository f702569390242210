"""A name leads to a thing: the house's own, and what others add."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, final

from wholecase.core.errors import RecipeError
from wholecase.core.outside import Part, find, offered

Thing = TypeVar("Thing")


@final
class Table(dict[str, Thing]):
    """The house's own things by name; a name that it lacks is sought outside and loaded then.

    To go through it is to go through the house's own.

    Args:
        kind: what a thing of it is called, also by packages that add one: `aggregator`.
        own: name -> thing.
        base: what each must be a subclass of, or an instance where it is no class; None takes
            anything that can be called.
        given: options that the house hands to each by itself, and no recipe.
    """

    def __init__(
        self,
        kind: str,
        own: Mapping[str, Thing],
        base: type | None = None,
        given: Iterable[str] = (),
    ) -> None:
        super().__init__(own)
        self.kind, self.given = kind, frozenset(given)
        self._base = base

    def __missing__(self, name: str) -> Thing:
        """What somebody else called so.

        Raises:
            KeyError: nobody did.
            RecipeError: it cannot be loaded, or is no such thing.
        """
        part = find(self.kind, name)
        if part is None:
            raise KeyError(name)
        return self.loaded(part)

    def loaded(self, part: Part) -> Thing:
        """The thing itself.

        Raises:
            RecipeError: it cannot be loaded, or is no such thing.
        """
        thing: Any = part.load()
        if not self._fits(thing):
            must = (
                f"one of {self._base.__module__}.{self._base.__name__}"
                if self._base
                else ("a function")
            )
            raise RecipeError(
                f"the {self.kind} {part.name!r} of {part.origin} is {thing!r}, and must be {must}"
            )
        fitting: Thing = thing
        return fitting

    def _fits(self, thing: object) -> bool:
        if self._base is None:
            return callable(thing)
        if isinstance(thing, type):
            return issubclass(thing, self._base)
        return isinstance(thing, self._base)

    def knows(self, name: str) -> bool:
        """Whether there is such a thing, here or outside; nothing is loaded."""
        return name in self or find(self.kind, name) is not None

    def names(self) -> list[str]:
        """All that can be named, the house's own first."""
        return list(dict.fromkeys([*self, *(part.name for part in offered(self.kind))]))

    def refused(self) -> list[Part]:
        """Parts that have a name of the house's own, and are never reached."""
        return [part for part in offered(self.kind) if part.name in self]
