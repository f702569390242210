"""All that one outer fold needs to learn and to choose; it travels to a worker process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from wholecase.answer import covariates_of
from wholecase.assemble import model_of
from wholecase.cohort import Case, Fold
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.seeds import seed_of
from wholecase.experiment.keys import chosen_key, learnt_key
from wholecase.extract import Extraction
from wholecase.models import CaseModel
from wholecase.recipes import Recipe
from wholecase.runs import FoldFolder, RunFolder


@dataclass(frozen=True)
class FoldJob:
    """A fold, and the settings of its run."""

    recipe: Recipe
    fold: Fold
    """Only cases that have a bag."""
    extraction: Extraction
    classes: tuple[str, ...]
    run: RunFolder
    device: str
    again: tuple[Case, ...] = ()
    """Whom the fold's model learns from in the end, once all is chosen; none without a refit."""

    inner: tuple[Fold, ...] = ()
    """With several inner folds all of them, the fold itself first; else none."""

    @property
    def parts(self) -> tuple[Fold, ...]:
        """The divisions into those who teach and those on whom is chosen."""
        return self.inner or (self.fold,)

    @property
    def trainings(self) -> int:
        """How often a model learns."""
        return len(self.parts) + bool(self.again)

    @cached_property
    def learnt(self) -> str:
        """A fold that was learnt under another key is learnt again."""
        return learnt_key(self.recipe, self.fold, self.extraction, self.again, self.inner)

    @cached_property
    def chosen(self) -> str:
        """Choices that were made under another key are made again."""
        return chosen_key(self.learnt, self.recipe)

    @property
    def folder(self) -> FoldFolder:
        """Where the fold keeps its things."""
        return self.run.fold(self.fold.number)

    @property
    def kind(self) -> PixelKind:
        """Of the pixels that are learnt from; vectors have none, and are said to have colours."""
        return self.extraction.kind or RGB

    @property
    def seed(self) -> int:
        """The fold's own seed."""
        return seed_of(self.recipe.protocol.seed, "fold", self.fold.number)

    def fresh_model(self, taught: Sequence[Case]) -> CaseModel:
        """One that has learnt nothing, on the CPU; heads may weigh classes by who will teach."""
        targets = [case.target for case in taught]
        counts = [targets.count(label) for label in range(len(self.classes))]
        width, classes = self.extraction.width, len(self.classes)
        beside = covariates_of([*{case.patient: case for case in taught}.values()])
        return model_of(
            self.recipe, width, classes, self.seed, counts, kind=self.kind, taught=beside
        )
