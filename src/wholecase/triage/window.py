"""How large the windows are that a run's network was trained on."""

from dataclasses import dataclass

from wholecase.answer.trained import TrainedRun
from wholecase.core.errors import RunError
from wholecase.core.units import is_plausible_spacing

SAME = 0.01
"""Spacings that differ by less than this share are one."""


@dataclass(frozen=True)
class TrainedAt:
    """A window of `side_px` x `side_px` pixels of `spacing_um` µm each."""

    side_px: int
    spacing_um: float

    @property
    def stride_px(self) -> int:
        """A third of the side, so that a window speaks for its central ninth.

        One pixel less where the rest would not divide into equal margins.

        >>> TrainedAt(96, 0.97).stride_px, TrainedAt(224, 0.5).stride_px
        (32, 74)
        """
        third = self.side_px // 3
        third -= (self.side_px - third) % 2
        return third if third >= 1 else 2 - self.side_px % 2


def trained_at(trained: TrainedRun, spacing_um: float | int | None = None) -> TrainedAt:
    """What the run says of its windows; `spacing_um` fills in where it does not know the spacing.

    Raises:
        RunError: side or spacing are not known, or the one given is not that of the training.
    """
    where = trained.folder.facts
    instance = trained.folder.read_facts().get("instance") or {}
    side, known = instance.get("side_px"), instance.get("spacing_um")
    if side is None:
        raise RunError(
            f"{where} does not tell on windows of which side the run was trained; run again with "
            "this version"
        )
    if spacing_um is not None and not is_plausible_spacing(spacing_um):
        raise RunError(f"--spacing {spacing_um:g} cannot be; give µm per pixel, 0.05 to 50")
    if known is None and spacing_um is None:
        raise RunError(
            f"{where} does not tell at which spacing the run was trained; give it in µm per pixel "
            "with --spacing, such as 0.97 for PatchCamelyon"
        )
    if known is not None and spacing_um is not None and abs(known - spacing_um) > SAME * known:
        raise RunError(
            f"{where} says that the run was trained at {known:g} µm/px, not at {spacing_um:g}; "
            "leave --spacing out: at another spacing the network sees cells of another size"
        )
    return TrainedAt(int(side), float(known if known is not None else spacing_um or 0.0))
