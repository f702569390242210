"""Pages that hold all they need: what they share, and what fills their templates."""

import functools
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment


@functools.cache
def environment(package: str) -> "Environment":
    """What fills the templates of a package, which may build on those that stand here.

    One for each package: compiling the templates takes longer than filling them.

    `base.html.j2` is the frame of a page: head, skip link, navigation, sections that fold, the
    viewer of pictures and the explanations of words. It needs no network; without JavaScript all
    sections are open and pictures stay as they are.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=ChoiceLoader([PackageLoader(package), PackageLoader("wholecase.core")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["slug"] = slug
    return made


def slug(name: str) -> str:
    """A name as a part of an address within the page.

    >>> slug("95 % interval"), slug("Youden's J")
    ('95-interval', 'youden-s-j')
    """
    return re.sub(r"[^0-9a-z]+", "-", name.lower()).strip("-")
