"""How an extraction went, in a few lines for people: what came out, and what took the time."""

from collections.abc import Iterator, Mapping

from wholecase.core.visible import visible
from wholecase.extract.extraction import Extraction

SHOWN = 5
"""Images that are named."""
READING = ("open", "cut", "read")
"""All that waits for the disk and the decoder; a cut reads a thumbnail."""
GERUNDS = {
    "read": "reading",
    "transform": "resampling",
    "encode": "encoding",
    "write": "writing",
}
CURES = {
    "read": "more workers or faster storage",
    "transform": "a cut.spacing_um that the slides hold as a level saves resampling",
    "encode": "more workers, an accelerator or a smaller encoder",
    "write": "faster storage for the features",
}


def table_lines(extraction: Extraction) -> Iterator[str]:
    """Images, tiles, seconds by kind of work, and a hint on what would make it faster."""
    done, total = extraction, extraction.seconds["total"]
    failed = len({failure.path for failure in done.failures})
    made = "encoded" if done.pixels is None else "decoded"
    yield f"{done.encoded} images {made}, {done.reused} found, {failed} failed"
    if done.skipped:
        most = sorted(done.skipped.items(), key=lambda one: -one[1])[:SHOWN]
        listed = ", ".join(f"{image.path.name} {count}" for image, count in most)
        more = f" and {len(done.skipped) - SHOWN} more" if len(done.skipped) > SHOWN else ""
        yield visible(f"{sum(done.skipped.values())} tiles skipped as undecodable: {listed}{more}")
    yield from (f"note: {note}" for note in done.notes)
    if done.tiles:
        yield f"{done.tiles} tiles {made} in {total:.1f} s, {done.tiles / total:.1f} per second"
        if done.repeated:
            yield f"{done.repeated} of them show the pixels of another tile, which was encoded once"
        kinds = work_seconds(done.seconds)
        if any(kinds.values()):
            listed = ", ".join(f"{kind} {seconds:.1f} s" for kind, seconds in kinds.items())
            crew = max(done.workers, 1)
            yield f"{listed}; {crew} process{'es' * (crew > 1)}"
            if done.pixels is None:  # else reading is all there is to do
                yield hint(done.seconds)


def work_seconds(seconds: Mapping[str, float]) -> dict[str, float]:
    """Seconds of all workers in four kinds of work."""
    read = sum(seconds.get(name, 0.0) for name in READING)
    rest = {name: seconds.get(name, 0.0) for name in ("transform", "encode", "write")}
    return {"read": read, **rest}


def hint(seconds: Mapping[str, float]) -> str:
    """What takes most of the time, and what would help.

    >>> hint({"read": 8.1, "transform": 0.4, "encode": 1.4, "write": 0.1})
    'reading takes 81 % of the time: more workers or faster storage'
    >>> hint({"read": 8.0, "encode": 1.0, "write": 0.0, "wait": 3.0})
    'the encoder waits 75 % of its time for pixels: more workers or faster storage'
    """
    kinds = work_seconds(seconds)
    busy = {name: kinds[name] for name in ("encode", "write")}
    if "wait" in seconds and seconds["wait"] > sum(busy.values()):
        share = seconds["wait"] / (seconds["wait"] + sum(busy.values()))
        return f"the encoder waits {100 * share:.0f} % of its time for pixels: {CURES['read']}"
    if "wait" in seconds:  # what the workers do beside it costs nothing
        kinds = {**busy, "read": seconds["wait"]}
    most = max(kinds, key=lambda kind: kinds[kind])
    share = kinds[most] / max(sum(kinds.values()), 1e-9)
    return f"{GERUNDS[most]} takes {100 * share:.0f} % of the time: {CURES[most]}"
