"""A series on the page of its case: the slices that decide, and all of them with their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

from wholecase.report.records import CasePictures, SliceRecord
from wholecase.report.wording import number, percent


@dataclass(frozen=True)
class ShownSlice:
    """One slice as the page shows it."""

    record: SliceRecord
    place: str
    """Where it lies, in words."""
    says: str
    """Its probability alone; empty where the model cannot tell."""
    share: str
    """How much of the decision is its; empty where it has no part in it."""
    picture: str = ""
    """A data URI."""
    at: str = ""
    """Its place on the sheet, as CSS takes it."""


@dataclass(frozen=True)
class ShownSeries:
    """The slices of one case."""

    leading: tuple[ShownSlice, ...]
    """First ones first, each with its picture."""
    slices: tuple[ShownSlice, ...]
    """In the order of the series."""
    sheet: str
    """A data URI: the pictures of all slices in rows."""
    size: str
    """Of the sheet against one slice, as CSS takes it."""
    of: int
    """How many slices there are, those that are not shown counted."""

    @property
    def has_marks(self) -> bool:
        """Whether a person marked the finding in one of those that are shown."""
        return any(one.record.marked for one in self.slices)

    @property
    def has_scores(self) -> bool:
        """Whether slices were judged alone."""
        return any(one.record.probability is not None for one in self.slices)


def shown_series(pictures: CasePictures, drawn: Sequence[str], sheet: str) -> ShownSeries | None:
    """The series of a case as the page shows it; None where the case is none.

    `drawn` are the leading slices' pictures and `sheet` that of all, as data URIs.
    """
    if not pictures.series or not sheet:
        return None
    columns = min(pictures.columns, len(pictures.series))
    rows = -(-len(pictures.series) // columns)
    leading = zip(pictures.slices, drawn, strict=False)
    whole = {(one.series, one.of) for one in pictures.series}
    return ShownSeries(
        leading=tuple(_shown(one, picture=picture) for one, picture in leading if picture),
        slices=tuple(
            _shown(one, at=f"{_place(i % columns, columns)} {_place(i // columns, rows)}")
            for i, one in enumerate(pictures.series)
        ),
        sheet=sheet,
        size=f"{100 * columns}% {100 * rows}%",
        of=sum(of for _, of in whole),
    )


def _shown(one: SliceRecord, picture: str = "", at: str = "") -> ShownSlice:
    series = "" if one.series is None else f" of series {one.series}"
    position = "" if one.position_mm is None else f", at {number(one.position_mm, 1)}\u00a0mm"
    return ShownSlice(
        record=one,
        place=f"slice {one.number} of {one.of}{series}{position}",
        says="" if one.probability is None else number(one.probability),
        share=percent(one.weight) if one.decides else "",
        picture=picture,
        at=at,
    )


def _place(index: int, count: int) -> str:
    """Of a background that is `count` times as long as what it is seen through."""
    return f"{100 * index / (count - 1):.3f}%" if count > 1 else "0%"
