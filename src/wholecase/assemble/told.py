"""A recipe told in full: settings, meanings, layers, and what learns in which stage."""

import inspect
import textwrap
from collections.abc import Iterator
from typing import Any

import torch
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from torch import Tensor, nn

from wholecase.assemble.case_models import model_of, pixels_of
from wholecase.assemble.data import cut_of
from wholecase.assemble.named import KIND_AT, maker_of, settings_of
from wholecase.assemble.parts import schedule_of
from wholecase.core.kinds import RGB
from wholecase.models import (
    Batch,
    CaseModel,
    trainable,
)
from wholecase.recipes import Named, Recipe
from wholecase.training import thaw

WIDTH = 1024
"""Width of the features that layers are shown for, where no store tells it."""


def describe(recipe: Recipe, width: int = WIDTH) -> Iterator[str]:
    """Lines for a person: settings, layers with shapes, parameters per part and stage.

    Args:
        recipe: what to tell of.
        width: of the stored features; a recipe that trains on pixels has no use for it.
    """
    yield f"{recipe.recipe}: {recipe.title}"
    yield ""
    yield "SETTINGS (override any with section.key=value)"
    yield from _settings(recipe, "")
    classes = len(recipe.cohort.groups)
    values, what = _input(recipe, width)
    model = model_of(recipe, values.shape[1], classes, recipe.protocol.seed)
    yield ""
    yield f"LAYERS ({what}, {classes} classes; T instances of B cases)"
    yield from _layers(recipe, model, values)
    yield ""
    yield "PARAMETERS PER PART"
    yield from _parts(model)
    yield ""
    yield "TRAINABLE PARAMETERS"
    yield from _stages(recipe, model)


def _settings(section: BaseModel, above: str) -> Iterator[str]:
    for key, field in type(section).model_fields.items():
        name, value = f"{above}{field.alias or key}", getattr(section, key)
        if isinstance(value, Named):
            yield _line(f"{name}.name", value.name, field.description or "")
            yield from _options(name, key, value)
        elif isinstance(value, BaseModel):
            yield from _settings(value, f"{name}.")
        elif isinstance(value, dict) and any(isinstance(v, BaseModel) for v in value.values()):
            for own, part in value.items():
                yield from _settings(part, f"{name}.{own}.")
        else:
            yield _line(name, value, _meaning(field, value))


def _options(name: str, what: str, named: Named) -> Iterator[str]:
    kind = KIND_AT.get(what, what)
    made = None if named.name == "together" else maker_of(kind, named.name)
    defaults = {} if made is None else settings_of(kind, named.name)
    meanings = {} if made is None else meanings_of(made[0])
    for option in dict.fromkeys([*named.options, *defaults]):
        default = defaults[option].default if option in defaults else inspect.Parameter.empty
        value = named.options.get(option, default)
        meaning = meanings.get(option, "")
        if default is not inspect.Parameter.empty and _shown(value) != _shown(default):
            meaning = f"{meaning} (default {_shown(default)})".strip()
        yield _line(f"{name}.{option}", value, meaning.rstrip("."))


def _line(name: str, value: object, meaning: str) -> str:
    head = f"  {name:30} {_shown(value):<14} "
    meaning = textwrap.fill(meaning, 110, initial_indent=head, subsequent_indent=" " * 48)
    return meaning.rstrip() or head.rstrip()


def meanings_of(make: Any) -> dict[str, str]:  # noqa: ANN401 (a class or a function)
    """The `Args` of a docstring, option by option."""
    found: dict[str, str] = {}
    inside, name = False, ""
    for line in (inspect.getdoc(make) or "").splitlines():
        indent = len(line) - len(line.lstrip())
        if line.strip() == "Args:":
            inside = True
        elif inside and line and indent == 0:
            inside = False
        elif inside and indent == 4 and ":" in line:
            name, _, meaning = line.strip().partition(":")
            found[name] = meaning.strip()
        elif inside and line.strip():
            found[name] += f" {line.strip()}"
    return found


def _meaning(field: FieldInfo, value: object) -> str:
    meaning = field.description or ""
    if field.is_required():
        return meaning
    default = field.get_default(call_default_factory=True, validated_data={})
    is_news = default is not None and default not in ("", value)
    return f"{meaning} (default {_shown(default)})" if is_news else meaning


def _shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return "[" + ", ".join(str(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(v)}" for key, v in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:g}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _input(recipe: Recipe, width: int) -> tuple[Tensor, str]:
    """Three instances of what the model takes, and what that is."""
    if recipe.model.backbone is None:
        return torch.zeros(3, width), f"features of width {width}"
    side = int(cut_of(recipe).settings["side_px"])
    kind = pixels_of(recipe)
    said = "" if kind is RGB else f"{kind.name} "
    told = f"{said}pixels of {kind.channels} channel{'s' * (kind.channels > 1)}, {side} x {side}"
    return torch.zeros(3, kind.channels, side, side), told


def _layers(recipe: Recipe, model: CaseModel, values: Tensor) -> Iterator[str]:
    rows: list[tuple[str, str, str, int]] = []
    hooks = []
    for name, module in model.named_modules():
        if not list(module.children()) and name:
            hooks.append(module.register_forward_hook(_recorder(name, rows)))
    starts = torch.tensor([0, 2, 3])
    columns = len(recipe.cohort.covariates)
    batch = Batch(
        values,
        starts,
        ("a", "b"),
        ("a", "b"),
        _scale(recipe),
        covariates=torch.full((2, columns), torch.nan) if columns else None,
        images=starts,
    )
    model.eval()
    with torch.no_grad():
        model(batch)
    for hook in hooks:
        hook.remove()
    for name, kind, shape, count in rows:
        yield f"  {name:28} {kind:16} {shape:20} {count:>10,}"


def _scale(recipe: Recipe) -> Tensor | None:
    """One that the backbone knows, where it asks for scales."""
    backbone = recipe.model.backbone
    scales = None if backbone is None else backbone.options.get("scales")
    return torch.full((3,), float(scales[0])) if scales else None


def _recorder(name: str, rows: list[tuple[str, str, str, int]]) -> Any:  # noqa: ANN401
    def record(module: nn.Module, _inputs: object, output: object) -> None:
        shape = "" if not isinstance(output, Tensor) else _named_shape(output)
        rows.append((name, type(module).__name__, shape, trainable(module)))

    return record


def _named_shape(output: Tensor) -> str:
    count = output.shape[0]
    several = f"{count // 3} T" if count % 3 == 0 else str(count)  # vectors of an instance
    first = {3: "T", 2: "B"}.get(count, several)
    return f"[{', '.join([first, *map(str, output.shape[1:])])}]"


def _parts(model: CaseModel) -> Iterator[str]:
    """The modules that a model is made of, and those that they are made of."""
    for name, part in model.named_children():
        inside = _inside(name, part)
        several = inside if len(inside) > 1 else [(name, part)]
        for path, module in several:
            if count := sum(p.numel() for p in module.parameters()):
                yield f"  {path:45} {count:>10,}"
        for own, parameter in part.named_parameters(recurse=False):
            yield f"  {name + '.' + own:45} {parameter.numel():>10,}"


def _inside(name: str, module: nn.Module) -> list[tuple[str, nn.Module]]:
    """The children of a module, passing what holds one thing alone."""
    children = [(f"{name}.{key}", child) for key, child in module.named_children()]
    return _inside(*children[0]) if len(children) == 1 else children


def _stages(recipe: Recipe, model: CaseModel) -> Iterator[str]:
    schedule = schedule_of(recipe, pixels_of(recipe))
    starts = sorted({0, *(stage.start for stage in schedule.stages)})
    whole = sum(p.numel() for p in model.parameters())
    for start in starts:
        thaw(model, schedule, start)
        parts = {name: trainable(part) for name, part in model.named_children()}
        listed = ", ".join(f"{name} {count:,}" for name, count in parts.items() if count)
        learns = sum(parts.values())
        share = "" if learns == whole else f"; {learns / whole:.1%} of {whole:,}"
        yield f"  from epoch {start}: {learns:,} ({listed}){share}"
