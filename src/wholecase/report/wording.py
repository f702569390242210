"""Numbers as people write them."""

from collections.abc import Sequence

from wholecase.report.records import Measured

MISSING = "–"


def number(value: int | float | None, digits: int = 2) -> str:
    """A number with fixed decimals, or a dash.

    >>> number(0.875), number(-0.5), number(-0.001), number(None)
    ('0.88', '−0.50', '0.00', '–')
    """
    if value is None or value != value:  # noqa: PLR0124 (nan)
        return MISSING
    return f"{value:z.{digits}f}".replace("-", "−")


def interval(measured: Measured) -> str:
    """The ends of a 95 % interval, or nothing.

    >>> interval(Measured(0.9, 0.81, 0.95)), interval(Measured(0.0, -0.1, 0.1))
    ('0.81–0.95', '−0.10 to 0.10')
    >>> interval(Measured(None))
    ''
    """
    if measured.low is None or measured.high is None:
        return ""
    return f"{number(measured.low)}{' to ' if measured.low < 0 else '–'}{number(measured.high)}"


def held(measured: Measured) -> str:
    """How far an interval can be trusted, or nothing where that is not known.

    >>> held(Measured(0.9, 0.8, 0.95, held=(0.956, 500, 80)))
    'such intervals held the truth in 95.6 % of 500 drawn cohorts of 80 patients'
    """
    if measured.held is None:
        return ""
    share, draws, patients = measured.held
    return (
        f"such intervals held the truth in {100 * share:.1f} % of {draws} drawn cohorts of "
        f"{patients} patients"
    )


def percent(share: float) -> str:
    """A share of one in percent.

    >>> percent(0.256)
    '26 %'
    """
    return f"{100 * share:.0f} %"


def count(n: int, noun: str, plural: str = "") -> str:
    """A number of things.

    >>> count(1, "case"), count(1200, "case"), count(2, "class", "classes")
    ('1 case', '1,200 cases', '2 classes')
    """
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def duration(seconds: int | float) -> str:
    """A length of time, with two units at most.

    >>> duration(0.42), duration(75), duration(7500)
    ('0.4 s', '1 min 15 s', '2 h 5 min')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def reach(values: Sequence[float]) -> str:
    """From where to where numbers go; one number where they agree.

    >>> reach([0.5, 0.31]), reach([0.5, 0.5])
    ('0.31–0.50', '0.50')
    """
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low}{' to ' if min(values) < 0 else '–'}{high}"


def listed(names: tuple[str, ...]) -> str:
    """Names as a list in a sentence.

    >>> listed(("a", "b", "c"))
    'a, b and c'
    """
    return " and ".join([*([", ".join(names[:-1])] if names[:-1] else []), *names[-1:]])
