"""What is odd about a table and stops nothing: told before anything is computed from it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """One thing to know of."""

    where: str
    """Lines, a column, or patients."""
    what: str
    """One sentence with the cure."""
    problem: str
    """The sort of problem in a few words."""

    def __str__(self) -> str:
        return f"{self.problem}: {self.where}: {self.what}"
