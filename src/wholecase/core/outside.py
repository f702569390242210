"""Parts from outside: of installed packages, of modules that a recipe names, or by reference.

A package offers each part as an entry point of the group `wholecase.parts`, called `kind.name`; it
is imported when a recipe names it, and never before. A module has `PARTS`, the same names leading
to the things themselves. A reference is `module:Name`. What a table of the house has goes first.
"""

import importlib
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, final

from wholecase.core.digest import digest
from wholecase.core.errors import RecipeError

GROUP = "wholecase.parts"
REFERENCE = "^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_.]*$"
"""`module:Name`, and no address or file."""
LISTED = "PARTS"
"""The mapping of a module that tells its parts."""


@dataclass(frozen=True)
class Part:
    """A thing that somebody else made, and where it came from; not loaded yet."""

    kind: str
    name: str
    module: str
    """Where it is imported from; of a file on its own its path."""
    package: str | None
    version: str | None
    load: Callable[[], Any] = field(compare=False, repr=False)

    @property
    def origin(self) -> str:
        """Who made it, for a sentence: `my-parts 0.2.0`, or the module."""
        return f"{self.package} {self.version}" if self.package else self.module

    @property
    def requirement(self) -> str | None:
        """What an installer is told to fetch it; None of a module that no package brought."""
        return f"{self.package}=={self.version}" if self.package else None


def find(kind: str, name: str) -> Part | None:
    """The part of that kind and name, or None.

    What the recipe's `parts` name goes before what else is installed.

    Raises:
        RecipeError: two have that name.
    """
    if re.match(REFERENCE, name):
        return _referred(kind, name)
    wanted = [part for part in _of_modules() if (part.kind, part.name) == (kind, name)]
    there = [part for part in installed() if (part.kind, part.name) == (kind, name)]
    named = [part for part in there if plain(part.package or "") in _packages()]
    chosen = wanted + named or there
    origins = list(dict.fromkeys(part.origin for part in chosen))
    if len(origins) > 1:
        raise RecipeError(
            f"{len(origins)} parts are the {kind} {name!r}, of {' and '.join(origins)}; write "
            "which as `module:Name`"
        )
    return chosen[0] if chosen else None


def offered(kind: str) -> list[Part]:
    """All of a kind that modules in use and installed packages have."""
    return [part for part in (*_of_modules(), *installed()) if part.kind == kind]


@cache
def _names(kind: str, used: tuple[str, ...]) -> frozenset[str]:  # noqa: ARG001 (the key)
    return frozenset(part.name for part in offered(kind))


def others(kind: str) -> frozenset[str]:
    """The names of all of a kind from outside; cheap enough to be asked for each row of a table."""
    return _names(kind, in_use())


def use(entries: Iterable[str]) -> None:
    """Let the parts be named that modules and packages have, from now on in this process.

    Args:
        entries: each a module, a file `x.py`, or a package, with or without its version.

    Raises:
        RecipeError: one is not there, cannot be imported, or has no parts.
    """
    for entry in entries:
        if entry not in _USED:
            _USED[entry] = _opened(entry)


def in_use() -> tuple[str, ...]:
    """What was named to `use`, for a process that shall know the same."""
    return tuple(_USED)


@final
class Known:
    """Pickled to a process before the rest of what it is told: there the same parts are in use."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        """Unpickled it is what `use` returns."""
        return use, (in_use(),)


def remarks(entries: Iterable[str]) -> Iterator[str]:
    """Where another version of a package is here than is asked for, a sentence each."""
    for entry in entries:
        name, _, version = entry.partition("==")
        here = _version(name) if version else None
        if here is not None and here != version:
            yield (
                f"parts of {name} {version} are asked for, and {name} {here} is installed: it may "
                "answer otherwise"
            )


def absences(told: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Of the `parts` in a `run.json`, what is not installed here, or in another version."""
    named = {one["package"]: one["version"] for one in told if one.get("package")}
    for package, version in named.items():
        if _version(package) is None:
            yield _not_installed(package, version)
        yield from remarks([f"{package}=={version}"])


def reference(thing: object) -> str:
    """`module:Name`, by which another process finds a class, a function or a value of a module.

    Raises:
        RecipeError: it is in no module that can be imported.
    """
    home, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if name is None:  # a value, such as a metric
        home, name = _place_of(thing)
    if not isinstance(home, str) or home == "__main__" or "<locals>" in str(name):
        raise RecipeError(
            f"{name or thing!r} is defined in a script, a notebook or a function, where worker "
            "processes and later sessions cannot find it; put it into a .py file of its own, and "
            "import it from there"
        )
    return f"{home}:{name}"


def _place_of(value: object) -> tuple[str | None, str | None]:
    for home, module in list(sys.modules.items()):
        if not home.startswith("wholecase."):
            for name, one in list(getattr(module, "__dict__", {}).items()):
                if one is value:
                    return home, name
    return None, None


_USED: dict[str, tuple[Part, ...] | None] = {}
"""Entry -> its parts; None of a package, whose entry points tell."""


def _of_modules() -> Iterator[Part]:
    for parts in _USED.values():
        yield from parts or ()


def _packages() -> set[str]:
    return {plain(entry.partition("==")[0]) for entry, parts in _USED.items() if parts is None}


def plain(package: str) -> str:
    """The name of a package without the freedom of dashes and capitals.

    >>> plain("My_Parts")
    'my-parts'
    """
    return package.replace("_", "-").replace(".", "-").lower()


@cache
def installed() -> tuple[Part, ...]:
    """What installed packages offer; nothing of them is imported."""
    return tuple(_of_entry(entry) for entry in metadata.entry_points(group=GROUP))


def _of_entry(entry: metadata.EntryPoint) -> Part:
    kind, _, name = entry.name.partition(".")
    package = entry.dist.name if entry.dist else None
    version = entry.dist.version if entry.dist else None

    def load() -> Any:  # noqa: ANN401
        return _attribute(_imported(entry.module), entry.attr)

    return Part(kind, name, entry.module, package, version, load)


def _referred(kind: str, name: str) -> Part:
    home, _, path = name.partition(":")
    package = _package_of(home)
    version = _version(package) if package else None

    def load() -> Any:  # noqa: ANN401
        return _attribute(_imported(home), path)

    return Part(kind, name, home, package, version, load)


def _opened(entry: str) -> tuple[Part, ...] | None:
    if entry.endswith(".py"):
        return _listed(_imported_file(Path(entry)), entry, None)
    name, _, version = entry.partition("==")
    is_package = _version(name) is not None
    if not version and _is_module(name):
        module = _imported(name)
        homes = {plain(part.module.partition(".")[0]) for part in installed()}
        if hasattr(module, LISTED) or plain(name) not in homes:
            return _listed(module, name, _package_of(name))
    if version and not is_package:
        raise RecipeError(_not_installed(name, version))
    if not is_package:
        beside = f"; is `{name}.py` meant?" if Path(f"{name}.py").is_file() else ""
        raise RecipeError(
            f"parts names {name!r}, which is no module and no package that is installed; pip "
            f"install it, or name a file that ends in .py{beside}"
        )
    return None


def _not_installed(package: str, version: str) -> str:
    return (
        f"parts of {package} {version} are used, and it is not installed; pip install "
        f"{package}=={version}"
    )


def _listed(module: ModuleType, home: str, package: str | None) -> tuple[Part, ...]:
    told = getattr(module, LISTED, None)
    if not isinstance(told, Mapping) or not all(
        isinstance(key, str) and "." in key for key in told
    ):
        raise RecipeError(
            f"{home} does not tell its parts; write into it {LISTED} = "
            '{"aggregator.my_name": MyClass}'
        )
    version = _version(package) if package else None

    def part(key: str, thing: object) -> Part:
        kind, _, name = key.partition(".")
        return Part(kind, name, home, package, version, load=lambda: thing)

    return tuple(part(key, thing) for key, thing in told.items())


def _is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:  # a stranger's module raises whatever it likes
        raise RecipeError(
            f"the module {name}, which has parts, cannot be imported ({type(error).__name__}: "
            f"{error}); install or mend it"
        ) from error


def _imported_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise RecipeError(f"parts names {path}, which is not there; put it back, or correct parts")
    name = f"{path.stem}_{digest(path=str(path))[:8]}"  # not that of a module elsewhere
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "it ends in .py"  # noqa: S101
    assert spec.loader is not None, "it ends in .py"  # noqa: S101
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a stranger's module raises whatever it likes
        del sys.modules[name]
        raise RecipeError(
            f"{path}, which has parts, cannot be imported ({type(error).__name__}: {error}); mend "
            "it"
        ) from error
    return module


def _attribute(module: ModuleType, path: str) -> Any:  # noqa: ANN401
    thing: Any = module
    for name in path.split("."):
        if not hasattr(thing, name):
            raise RecipeError(f"the module {module.__name__} has no {path}; correct the name")
        thing = getattr(thing, name)
    return thing


def _version(package: str) -> str | None:
    """The version of what is installed; None where it is not."""
    try:
        return metadata.version(package)
    except (metadata.PackageNotFoundError, ValueError):
        return None


@cache
def _package_of(module: str) -> str | None:
    """The package that brought a module; None where none did."""
    top = module.partition(".")[0]
    offering = [part.package for part in installed() if part.module.partition(".")[0] == top]
    return next(iter(offering), None) or next(
        iter(metadata.packages_distributions().get(top, ())), None
    )
