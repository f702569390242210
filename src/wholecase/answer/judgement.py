"""What was said of a case, whoever said it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8

from wholecase.answer.case_pictures import heat
from wholecase.answer.faithful import Faithfulness
from wholecase.answer.image_decisions import ImageAlone
from wholecase.answer.neighbours import Neighbour
from wholecase.answer.series_pictures import is_series, series_picture
from wholecase.cohort import Case
from wholecase.core.errors import RunError
from wholecase.evaluation import Novelty, Scores
from wholecase.explain import AUTO, Evidence, LesionSlices, class_shown
from wholecase.sources import open_source


@dataclass(frozen=True)
class Judgement:
    """One case and what one judge says of it: a fold's model, a run, a vote of runs."""

    case: Case
    classes: tuple[str, ...]
    judge: int | str
    """The number of a fold, or the name of a run or a vote."""
    raw: Float[np.ndarray, " C"]
    """Probabilities as the head gives them; of several judges their mean."""
    probabilities: Float[np.ndarray, " C"]
    """Calibrated."""
    decision: int
    """Index of the class: by the judge's threshold, or the most probable."""
    evidence: Evidence | None = None
    """None where it was not asked for, or lies on disk."""
    others: tuple["Judgement", ...] = ()
    """What further judges say of the case, without evidence: the members of a vote; the models of
    other folds, which have seen the patient."""
    localisation: float | None = None
    """How well the evidence finds what an expert marked; None without marks."""
    lesions: LesionSlices | None = None
    """The same of a series, slice by slice."""
    faithfulness: Faithfulness | None = None
    """Whether the decision rests on the evidence; None where it was not tried."""
    agreement: float | None = None
    """Rank correlation of the attention with that of the case's own judge; None of that one."""
    novelty: Novelty | None = None
    """How far the case lies from what was learnt from; None where the judge does not know."""
    view_spread: float | None = None
    """Standard deviation, over the sets of views that judged, of the calibrated probability of the
    class that is decided on; of several judges their mean. None where the case was judged whole."""
    images: Mapping[int, ImageAlone] | None = None
    """By number of the image what is said of it alone; None where images are not judged alone."""
    neighbours: tuple[Neighbour, ...] = ()
    """The cases that voted, nearest first, where the judge decides by neighbours."""
    seen: str = ""
    """By what the case is known to have taught the run: `file`, `picture` or `patient`."""

    @property
    def label(self) -> str:
        """Name of the class that is decided on."""
        return self.classes[self.decision]

    @property
    def is_unlike(self) -> bool:
        """Whether the case is unlike those that the judge learnt from; False where unknown."""
        return self.novelty is not None and self.novelty.is_unlike

    @property
    def shares(self) -> dict[str, float]:
        """Class name to calibrated probability."""
        return dict(zip(self.classes, self.probabilities.tolist(), strict=True))

    def heatmap(
        self, image: int = 0, *, longest_px: int = 1024, scale: str = AUTO
    ) -> UInt8[np.ndarray, "H W 3"]:
        """What the regions of an image say, RGB, with legend and scale bar; of a series all slices.

        Args:
            image: number of the image within the case.
            longest_px: longer side of the picture.
            scale: of the colours: `evidence`, `times`, `rank` or `absolute`; `auto` is one of the
                first two, which are alike for all cases.

        Raises:
            RunError: the evidence was not asked for.
        """
        if self.evidence is None:
            raise RunError(f"case {self.case.id!r} was judged without evidence; ask again with it")
        if is_series(self.case, self.evidence):
            of_class = self.classes[class_shown(self.evidence)]
            return series_picture(self.case, self.evidence, None, of_class)
        shown = self.case.images[image]
        with open_source(shown.path, shown.kind, shown.mpp, shown.window) as source:
            here = self.evidence.of_image(image)
            return heat(source, here, longest_px=longest_px, scale=scale)

    @property
    def spread(self) -> float:
        """Standard deviation of a vote's probabilities of the class that is decided on."""
        rows = [other.probabilities[self.decision] for other in self.others]
        return float(np.std(rows)) if rows else 0.0


def scores_of(judgements: Sequence[Judgement]) -> Scores:
    """Labelled cases as metrics take them; ranks are compared within what one judge said."""
    names = sorted({j.judge for j in judgements}, key=str)
    judges = [names.index(j.judge) for j in judgements]
    return Scores(
        truth=np.array([j.case.target for j in judgements], dtype=np.int64),
        probabilities=np.stack([j.probabilities for j in judgements]),
        decision=np.array([j.decision for j in judgements], dtype=np.int64),
        patients=tuple(j.case.patient for j in judgements),
        judges=np.array(judges, dtype=np.int64),
    )
