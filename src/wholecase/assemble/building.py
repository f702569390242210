"""A named part and its options -> the part, or one sentence about what cannot be."""

from typing import Any

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import check_options, options_of
from wholecase.recipes import Named


def built(make: Any, named: Named, what: str, **given: Any) -> Any:  # noqa: ANN401
    """Call a constructor with what it asks for of `given`, and with the recipe's options."""
    wanted = {name: value for name, value in given.items() if name in options_of(make)}
    check_options(make, named.options, f"the {what} {named.name!r}", given)
    try:
        return make(**wanted, **named.options)
    except (TypeError, ValueError, RuntimeError) as error:  # a constructor of torch
        options = ", ".join(f"{key}={value!r}" for key, value in named.options.items())
        raise RecipeError(
            f"the {what} {named.name!r} cannot be built with {options}: {error}"
        ) from error
