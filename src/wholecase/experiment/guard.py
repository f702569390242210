"""Before the first step: are sides apart in what they show, not in ids alone?"""

from collections.abc import Sequence
from pathlib import Path

from wholecase.audit import Crossing, crossings, of_several_patients
from wholecase.core.errors import SplitError
from wholecase.core.files import write_json
from wholecase.experiment.outer import Bench
from wholecase.runs import SIDES, RunFolder


def guard(benches: Sequence[Bench], keep: Path) -> None:
    """Pass where no image of one patient is on one side and a copy under another id on another.

    Pictures are compared across recompression, sizes, flips and quarter turns, and file names that
    tell slide or patient by a known rule. What was found is written to `copies.json`.

    Args:
        benches: the run and its repeats, before they learn.
        keep: folder in which thumbnails are kept.

    Raises:
        SplitError: there are such pairs, and the recipe does not say why they are no leak.
    """
    bench = benches[0]
    extraction = bench.extraction
    pairs = [(c, i) for c in bench.cases for i in c.images if extraction.has(i)]
    groups, compared = of_several_patients(pairs, extraction.digests, keep, bench.place.workers)
    found = [one for b in benches for fold in b.folds for one in crossings(groups, fold)]
    told = {"images": len(pairs), "compared": compared, "pairs": [one.to_json() for one in found]}
    write_json(bench.run.copies, told)
    if found and SIDES not in bench.recipe.evaluate.muted:
        raise SplitError(_refusal(found, bench.run))


def _refusal(found: Sequence[Crossing], folder: RunFolder) -> str:
    more = f" ({len(found) - 1} more pairs in {folder.copies})" if len(found) > 1 else ""
    return (
        f"fold {found[0].fold}: {found[0]}{more}; give them one patient_id, take one out, or say "
        f"under evaluate.muted.{SIDES} why that is no leak"
    )
