"""What sleeping parts of a network make of the cases: computed once, and read again each epoch."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from wholecase.core.digest import digest
from wholecase.core.errors import RecipeError
from wholecase.core.files import atomic
from wholecase.core.seeds import seed_of
from wholecase.models import WHOLE, Batch, CaseModel, device_of, is_each_alone, lowered, past_part
from wholecase.training.augment import Augment
from wholecase.training.batches import Batches
from wholecase.training.examples import Example, Examples, pack, unpacked


@dataclass(frozen=True)
class Shelf:
    """A folder that several trainings share, such as the folds of a run.

    Args:
        folder: where outputs lie; whoever made it takes it away.
        contents: by case, a name for what is shown of it and how that is changed.
        seed: of the variants of each case, the same in all of these trainings.
    """

    folder: Path
    contents: Mapping[str, str]
    seed: int


@dataclass(frozen=True)
class Reuse:
    """How much is kept, and where.

    Args:
        variants: of each case that learns, where it is changed while learning: epoch e sees variant
            e modulo this. Where nothing is changed there is one.
        gigabytes: most on disk for a training and a stage. Where the variants need more there are
            fewer of them, and where one needs more, nothing is kept.
        shelf: None is a folder of the training's own.
    """

    variants: int = 4
    gigabytes: float = 8.0
    shelf: Shelf | None = None

    def __post_init__(self) -> None:
        if self.variants < 1 or not self.gigabytes > 0:
            raise RecipeError(
                "train.reuse needs 1 variant or more and more than 0 gigabytes, not "
                f"{self.variants} and {self.gigabytes!r}"
            )


@final
@dataclass(frozen=True)
class Plain:
    """The two sides of a training as they are."""

    sides: tuple[Batches, Batches | None]

    def turn(self, *_: object) -> tuple[Batches, Batches | None]:
        """The same in every epoch."""
        return self.sides

    def close(self) -> None:
        """Nothing was kept."""


@final
class Kept:
    """The two sides of a training, past the part of the network that sleeps.

    That part is found anew for every stage. What it makes of a case does not change while it
    sleeps, so that an epoch costs what the waking parts cost. Each case passes it alone: what comes
    out is the same, whoever asks first.

    Args:
        sides: of the training and of the inner patients.
        reuse: how much is kept, and where.
        augment: how cases are changed while learning.
        seed: of the changes, where there is no shelf.
    """

    def __init__(
        self,
        sides: tuple[Batches, Batches | None],
        reuse: Reuse,
        augment: Augment | None,
        seed: int,
    ) -> None:
        self._sides, self._reuse, self._augment = sides, reuse, augment
        self._own = Path(tempfile.mkdtemp(prefix="wholecase-")) if reuse.shelf is None else None
        self._shelf = reuse.shelf or Shelf(self._own or Path(), {}, seed)
        self._part, self._weights = "", ""
        self._shown: dict[int | None, Batches] = {}
        self._most = 0

    def turn(self, model: CaseModel, epoch: int, precision: str) -> tuple[Batches, Batches | None]:
        """The sides as this epoch takes them; the model's parts are asleep or awake already."""
        part = sleeping(model)
        if part != self._part:
            self._part, self._shown = part, {}
            self._most = self._affordable(model, part) if part else 0
            self._weights = _weights_of(model, part) if self._most else ""
        if not self._most:
            return self._sides
        train, valid = self._sides
        number = epoch % self._most
        with lowered(precision, device_of(model)):
            if number not in self._shown:
                self._shown[number] = self._through(model, train, number, precision)
            if valid is not None and None not in self._shown:
                self._shown[None] = self._through(model, valid, None, precision)
        return self._shown[number], self._shown.get(None)

    def close(self) -> None:
        """Take away what is of no use to others."""
        if self._own is not None:
            shutil.rmtree(self._own, ignore_errors=True)

    def _affordable(self, model: CaseModel, part: str) -> int:
        """How many variants fit beside the inner patients."""
        train, valid = self._sides
        try:
            one = past_part(model, train.examples.batch([0]), part)
        except ValueError:  # vectors that are no grid
            return 0
        each = one.values[0].numel() * torch.finfo(torch.float32).bits / 8
        inner = 0 if valid is None else _instances(valid.examples)
        left = self._reuse.gigabytes * 1e9 - each * inner
        fit = int(left // (each * _instances(train.examples)))
        return min(1 if self._augment is None else self._reuse.variants, max(0, fit))

    def _through(
        self, model: CaseModel, side: Batches, variant: int | None, precision: str
    ) -> Batches:
        """One side past the sleeping part; with a variant as that one changes it."""
        changed = None if variant is None else self._augment
        key = digest(
            part=self._part,
            weights=self._weights,
            input=repr(model.input),
            change=None if changed is None else [self._shelf.seed, variant],
            on=[precision, device_of(model).type],
        )
        examples = side.examples
        passed = _Passed(examples, self._shelf.folder / key, self._part)
        for i in range(len(examples)):
            one = examples.batch([i])
            path = passed.note(one, self._shelf.contents.get(one.cases[0]))
            if not path.is_file():
                values = self._made(model, one, changed, variant)
                with atomic(path) as neighbour:
                    np.save(neighbour, values)
        return side.over(passed)

    def _made(
        self, model: CaseModel, one: Batch, changed: Augment | None, variant: int | None
    ) -> np.ndarray:
        device = device_of(model)
        one = one.to(device)
        if changed is not None:
            with torch.random.fork_rng([device] if device.type == "cuda" else []):
                torch.manual_seed(seed_of(self._shelf.seed, "variant", variant, one.cases[0]))
                one = changed(one)
        values: np.ndarray = past_part(model, one, self._part).values.float().cpu().numpy()
        return values


def sleeping(model: CaseModel) -> str:
    """The last part of the model's network whose output stays the same while others learn.

    Empty where there is none, or where instances of a batch have to do with each other in it.
    """
    network = model.backbone
    if network is None:
        return ""
    if not _wakes(network):
        return WHOLE
    last = ""
    for link in network.links:
        if _wakes(network.get_submodule(link)):
            break
        last = link
    return f"{WHOLE}.{last}" if last else ""


def _wakes(part: nn.Module) -> bool:
    return any(p.requires_grad for p in part.parameters()) or not is_each_alone(part)


def _instances(examples: Examples) -> int:
    return sum(examples.instances(i) for i in range(len(examples)))


@final
class _Passed(Examples):
    """Cases past a part of the network: what is known of them in memory, the rest on disk."""

    def __init__(self, before: Examples, folder: Path, part: str) -> None:
        self._before, self._folder, self._part = before, folder, part
        self._known: list[Example] = []
        self._paths: list[Path] = []

    def note(self, one: Batch, content: str | None) -> Path:
        """The next case, and where what is kept of it lies."""
        name = digest(case=one.cases[0], content=content)
        self._paths.append(self._folder / name[:2] / f"{name}.npy")
        nothing = replace(one, values=one.values[:, :0], after=self._part)
        self._known += unpacked(nothing)
        return self._paths[-1]

    def __len__(self) -> int:
        return len(self._before)

    def __getitem__(self, index: int) -> Example:
        values = torch.from_numpy(np.load(self._paths[index]))
        return replace(self._known[index], values=values)

    def batch(self, indices: Sequence[int]) -> Batch:
        """As they lie on disk."""
        return pack([self[i] for i in indices])

    def instances(self, index: int) -> int:
        """As before."""
        return self._before.instances(index)

    def patient(self, index: int) -> str:
        """As before."""
        return self._before.patient(index)

    def label(self, index: int) -> int | None:
        """As before."""
        return self._before.label(index)


def _weights_of(model: CaseModel, part: str) -> str:
    """A name for all that the sleeping part computes with."""
    running = hashlib.sha256()
    for name, tensor in sorted(_asleep(model, part).items()):
        running.update(name.encode())
        running.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return running.hexdigest()[:20]


def _asleep(model: CaseModel, part: str) -> dict[str, Tensor]:
    assert model.backbone is not None, "stored features have no network"  # noqa: S101
    network, links = model.backbone, model.backbone.links
    states: dict[str, Tensor] = {}
    last = part.removeprefix(f"{WHOLE}.")
    names = links[: links.index(last) + 1] if last in links else ("",)
    for name in names:
        states |= {f"{name}/{k}": t for k, t in network.get_submodule(name).state_dict().items()}
    if model.standard is not None:
        states |= {f"standard/{k}": t for k, t in model.standard.state_dict().items()}
    return states
