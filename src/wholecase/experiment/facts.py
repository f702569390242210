"""What a run says of itself: enough to repeat it, and to know what it must not be mixed with."""

import contextlib
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from wholecase.assemble import cut_of, told_origins
from wholecase.cohort import Case, Cohort, Split, split_digest
from wholecase.core.digest import digest, file_digest
from wholecase.core.version import VERSION
from wholecase.execution import cores
from wholecase.extract import Extraction
from wholecase.recipes import Recipe
from wholecase.runs import SCHEMA, RunFolder, write_rows

REFIT = {
    "learnt_from": "train and valid",
    "chosen_by": "first models, on whom they did not learn from",
}
"""Who taught the models of a refit, and who chose their epochs, temperatures and thresholds."""
TOLD = ("torch", "torchvision", "timm", "numpy", "opencv-python-headless", "openslide-python")


def facts_of(
    recipe: Recipe, cohort: Cohort, split: Split, extraction: Extraction, origin: Path | None
) -> dict[str, Any]:
    """The content of `run.json`; `origin` is the splits file that was given, if any."""
    return {
        "schema": SCHEMA,
        "wholecase": VERSION,
        "recipe": recipe.recipe,
        "title": recipe.title or recipe.recipe,
        "classes": list(cohort.classes),
        "positive": cohort.classes[1] if len(cohort.classes) == 2 else None,
        "cohort": {
            "path": str(cohort.path),
            "digest": file_digest(cohort.path),
            "cases": len(cohort.cases),
            "patients": len(cohort.patients),
            "images": sum(len(case.images) for case in cohort.cases),
            "by_label": dict(Counter(cohort.classes[c.target or 0] for c in cohort.cases)),
            "sites": dict(Counter(case.site for case in cohort.cases if case.site)),
        },
        "splits": {
            "digest": split_digest(split),
            "protocol": split.protocol,
            "folds": len(split.folds),
            "from": None if origin is None else str(origin),
            **({"repeats": recipe.protocol.repeats} if recipe.protocol.repeats > 1 else {}),
            **({"refit": dict(REFIT)} if recipe.protocol.refit else {}),
            **({"inner": recipe.protocol.inner} if recipe.protocol.inner > 1 else {}),
        },
        "encoder": {
            "identity": extraction.identity,
            "width": extraction.width,
            "pixels": None if extraction.kind is None else extraction.kind.name,
        },
        **_engine(extraction),
        "features": None if extraction.origin is None else asdict(extraction.origin),
        "cut": recipe.cut.model_dump(mode="json"),
        "instance": instance_of(recipe, extraction),
        "seed": recipe.protocol.seed,
        "data": digest(contents=sorted(extraction.digests.values())),
        "versions": versions(),
        **({"parts": parts} if (parts := told_origins(recipe, cohort)) else {}),
        "machine": machine(),
    }


def _engine(extraction: Extraction) -> dict[str, Any]:
    """How features lie to exact ones, where they were not computed exactly."""
    told = [asdict(one) for one in extraction.fidelity]
    return {"engine": told} if told else {}


def machine() -> dict[str, Any]:
    """What the numbers were computed on: processor, cores and memory."""
    return {
        "processor": _processor(),
        "cores": cores(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30),
    }


def _processor() -> str:
    """The processor's own name, or its family where the system tells no more."""
    told = Path("/proc/cpuinfo")
    with contextlib.suppress(OSError):
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def instance_of(recipe: Recipe, extraction: Extraction) -> dict[str, Any] | None:
    """Side and spacing of the pixels that a model learnt from; None where it learnt from features.

    The spacing is the median over this cohort's instances, which share a store with others; None
    where no image tells one.
    """
    store = extraction.pixels
    if store is None:
        return None
    keys = dict.fromkeys(key for _, key in extraction.bags.values())
    rows = np.concatenate([np.arange(*store.rows(key)) for key in keys])
    scale = store.column("scale", rows)
    known = scale[np.isfinite(scale)]
    return {
        "side_px": cut_of(recipe).settings["side_px"],
        "spacing_um": round(float(np.median(known)), 6) if len(known) else None,
    }


def versions() -> dict[str, str]:
    """Versions of what numbers depend on."""
    installed = {name: metadata.version(name) for name in TOLD}
    return {"python": platform.python_version(), "system": sys.platform, **installed}


def write_cases(run: RunFolder, cases: Sequence[Case], extraction: Extraction) -> None:
    """The cases that were used."""
    columns = ("case_id", "patient_id", "label", "site", "images", "instances")
    rows = [
        {
            "case_id": case.id,
            "patient_id": case.patient,
            "label": case.label,
            "site": case.site,
            "images": sum(extraction.has(image) for image in case.images),
            "instances": sum(extraction.instances(image) for image in case.images),
        }
        for case in cases
    ]
    write_rows(run.cases, columns, rows)


def write_exclusions(run: RunFolder, cohort: Cohort, extraction: Extraction) -> int:
    """Everything that was left out, at which stage and why; returns how many cases were lost."""
    columns = ("case_id", "patient_id", "path", "stage", "reason", "costs")
    kept = {c.id for c in cohort.cases if any(extraction.has(image) for image in c.images)}
    rows: list[dict[str, Any]] = [
        {
            "case_id": case.id,
            "patient_id": case.patient,
            "path": "",
            "stage": "label",
            "reason": f"the recipe ignores the label {case.label!r}",
            "costs": "case",
        }
        for case in cohort.ignored
    ]
    rows += [
        {
            "case_id": failure.case,
            "patient_id": failure.patient,
            "path": str(failure.path),
            "stage": failure.stage,
            "reason": failure.reason,
            "costs": "image" if failure.case in kept else "case",
        }
        for failure in extraction.failures
    ]
    write_rows(run.exclusions, columns, rows)
    return len(cohort.cases) - len(kept)
