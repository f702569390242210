"""`wholecase bench`: what this machine does in a second."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.document import Json, document
from wholecase.cli.options import Device


def bench(
    *,
    encoder: Annotated[str | None, Parameter(help="a network of timm to be measured, too")] = None,
    tiles: Annotated[int, Parameter(help="of the slide that is reckoned for")] = 5000,
    folder: Annotated[Path, Parameter(help="on the disk that is measured")] = Path(),
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Measure reading, encoding and learning on drawn data, and tell what takes longest of a slide.

    Rates are of one CPU thread; so many workers as there are cores do that many times as much, as
    long as memory and disk keep up.
    """
    from wholecase.assemble import place_of
    from wholecase.experiment.machine_rates import bottleneck, machine_rates, rates_json

    place = place_of(device)
    rates = []
    with document("bench", asked=as_json) as told:
        for rate in machine_rates(place, folder, encoder=encoder):
            rates.append(rate)
            print(
                f"{rate.stage:9} {rate.per_second:10,.1f} {rate.unit + '/s':8} "
                f"{rate.seconds(tiles):8.1f} s  {rate.how}",
                flush=True,
            )
        slowest = bottleneck(rates, tiles, encoder)
        print(
            f"A slide of {tiles:,} tiles: {slowest.stage} takes longest ({slowest.how}), "
            f"{slowest.seconds(tiles):.1f} s of one core; {place.workers} here, device "
            f"{place.device}."
        )
        told |= {"device": place.device, "cores": place.workers, "tiles": tiles}
        told |= {"rates": rates_json(rates, tiles), "bottleneck": slowest.stage}
