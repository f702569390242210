"""`wholecase explain`: where a run's models look."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wholecase.cli.options import Device, StoreFolder, Workers, worker_count


def explain(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *images: Annotated[Path, Parameter(help="new images, each a case of its own")],
    out: Annotated[Path, Parameter(help="folder for the heatmaps")],
    case: Annotated[str | None, Parameter(help="or a case of the run, by its id")] = None,
    scale: Annotated[Literal["rank", "absolute"], Parameter(help="of the colours")] = "rank",
    longest: Annotated[int, Parameter(help="longer side of the picture in pixels")] = 2048,
    weights: Annotated[Path | None, Parameter(help="encoder weights, if they moved")] = None,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Draw attention heatmaps: of new images by all fold models, of the run's own by its fold's."""
    from wholecase.cli.asking import ask, cohort_for
    from wholecase.cli.table import failure_lines
    from wholecase.experiment import draw_answer, stored_answer

    if case is not None:
        for path in draw_answer(*stored_answer(run, case), out, scale=scale, longest_px=longest):
            print(path)
        return 0
    asked = cohort_for(run, images, None)
    trained, extraction, answers = ask(
        run, asked, (weights, store), device=device, workers=worker_count(workers)
    )
    for answer in answers:
        decided = trained.classes[answer.decision]
        probability = answer.probabilities[answer.decision]
        print(f"{answer.case.id}: {decided} {probability:.3f} (fold models +- {answer.spread:.3f})")
        for path in draw_answer(answer.case, answer.evidence, out, scale=scale, longest_px=longest):
            print(path)
    for line in failure_lines([(str(f.path), f.reason) for f in extraction.failures]):
        print(line)
    return 2 if extraction.failures else 0
