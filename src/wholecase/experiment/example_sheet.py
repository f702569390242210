"""Where a patch model looked, on one sheet: right and wrong decisions of both classes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image as Picture

from wholecase.answer import Judgement, save_picture
from wholecase.explain import ATTENTION, GRAD_CAM
from wholecase.explain.legend import row, text, widened
from wholecase.runs import RunFolder

SIDE_PX, LETTERS_PX, EXAMPLES = 144, 20, 4
"""Of a picture, of the words, and how many cases of each kind."""


def draw_examples(run: RunFolder, outcomes: Sequence[Judgement], shown: Mapping[str, Any]) -> None:
    """Write `figures/gradcam_examples.png` where the cases have maps; two classes only.

    Of each kind the surest cases: what the model was most convinced of, rightly or wrongly.

    Args:
        run: its pictures are drawn already.
        outcomes: judged cases.
        shown: the content of `pictures.json`.
    """
    mapped = [o for o in outcomes if shown.get(o.case.id, {}).get("maps")]
    if not mapped or len(mapped[0].probabilities) != 2:
        return
    kinds = {
        "true positive": [o for o in mapped if o.decision == 1 and o.case.target == 1],
        "false positive": [o for o in mapped if o.decision == 1 and o.case.target == 0],
        "false negative": [o for o in mapped if o.decision == 0 and o.case.target == 1],
        "true negative": [o for o in mapped if o.decision == 0 and o.case.target == 0],
    }
    strips = [_strip(run, name, found, shown) for name, found in kinds.items()]
    width = max(strip.shape[1] for strip in strips)
    sheet = np.vstack([widened(strip, width) for strip in strips])
    save_picture(run.figure("gradcam_examples.png"), sheet)


def _strip(
    run: RunFolder, name: str, outcomes: Sequence[Judgement], shown: Mapping[str, Any]
) -> UInt8[np.ndarray, "h w 3"]:
    surest = sorted(outcomes, key=lambda o: (-o.probabilities[o.decision], o.case.id))[:EXAMPLES]
    heading = f"{name}: {len(outcomes)} of the cases with pictures"
    head = row([text(heading, LETTERS_PX)], LETTERS_PX)
    if not surest:
        return head
    pieces = [_example(run, o, shown[o.case.id]) for o in surest]
    height = max(piece.shape[0] for piece in pieces)
    padded = [
        np.pad(p, ((0, height - len(p)), (0, 16), (0, 0)), constant_values=255) for p in pieces
    ]
    body = np.hstack(padded)
    width = max(head.shape[1], body.shape[1])
    return np.vstack([widened(head, width), widened(body, width)])


def _example(
    run: RunFolder, outcome: Judgement, entry: Mapping[str, Any]
) -> UInt8[np.ndarray, "h w 3"]:
    paths = [entry["thumbnail"], entry["maps"].get(GRAD_CAM), entry["maps"].get(ATTENTION)]
    names = ["seen", GRAD_CAM, ATTENTION]
    columns = [
        np.vstack([_small(run, path), widened(text(name, LETTERS_PX)[:, :SIDE_PX], SIDE_PX)])
        for path, name in zip(paths, names, strict=True)
        if path
    ]
    below = text(f"{outcome.case.id}: {outcome.probabilities[1]:.2f}", LETTERS_PX)
    wide = SIDE_PX * len(columns)
    return np.vstack([np.hstack(columns), widened(below[:, :wide], wide)])


def _small(run: RunFolder, path: str) -> UInt8[np.ndarray, "h w 3"]:
    with Picture.open(run.root / path) as opened:
        return np.asarray(opened.convert("RGB").resize((SIDE_PX, SIDE_PX), Picture.Resampling.BOX))
