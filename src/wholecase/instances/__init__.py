"""What to read where in an image, and reading it as a stream."""

from wholecase.instances.instances import Cut, Instances

__all__ = ["Cut", "Instances"]
