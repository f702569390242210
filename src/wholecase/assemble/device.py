"""`device: auto` is CUDA, Apple MPS or the CPU, for encoding and for training."""

from wholecase.core.errors import RecipeError

DEVICES = ("auto", "cuda", "mps", "cpu")


def available_devices() -> tuple[str, ...]:
    """The devices of this machine, the fastest first."""
    import torch

    there = [("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())]
    return (*(name for name, is_there in there if is_there), "cpu")


def choose_device(wanted: str) -> str:
    """A device that is there.

    Raises:
        RecipeError: the device is unknown, or not on this machine.
    """
    there = available_devices()
    if wanted == "auto":
        return there[0]
    if wanted.split(":", maxsplit=1)[0] not in DEVICES:
        raise RecipeError(f"no device is called {wanted!r}; known: {', '.join(DEVICES)}")
    if wanted.split(":", maxsplit=1)[0] not in there:
        raise RecipeError(f"this machine has no {wanted}; it has {', '.join(there)}")
    return wanted
