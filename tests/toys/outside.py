"""A package as if it were installed, without an installer; and a process that never met it."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wholecase.core import outside

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "wholecase-example"


def forget() -> None:
    """Know of no parts but the house's own, as a fresh process does."""
    outside._USED.clear()
    for told in (outside.installed, outside._names, outside._package_of):
        told.cache_clear()
    importlib.invalidate_caches()


def describe_package(folder: Path, name: str, version: str, parts: dict[str, str]) -> None:
    """What an installer leaves of a package: its name, version and entry points."""
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = "".join(f"{key} = {value}\n" for key, value in parts.items())
    (info / "entry_points.txt").write_text(f"[{outside.GROUP}]\n{lines}")


@contextmanager
def on_path(*folders: Path) -> Iterator[None]:
    """Within, packages of these folders are installed."""
    before = list(sys.path), set(sys.modules)
    sys.path[:0] = map(str, folders)
    forget()
    try:
        yield
    finally:
        sys.path[:] = before[0]
        for name in set(sys.modules) - before[1]:
            if getattr(sys.modules[name], "__file__", None) and any(
                str(sys.modules[name].__file__).startswith(str(folder)) for folder in folders
            ):
                del sys.modules[name]
        forget()


@contextmanager
def example(folder: Path, version: str = "0.1.0") -> Iterator[None]:
    """Within, the package of `examples` is installed, in that version."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    describe_package(folder, project["name"], version, project["entry-points"][outside.GROUP])
    with on_path(folder, EXAMPLE / "src"):
        yield
