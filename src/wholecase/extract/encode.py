"""One image from file to store: what a worker does."""

import numpy as np
from jaxtyping import Float32

from wholecase.encoders import Encoder
from wholecase.extract.jobs import Job
from wholecase.extract.stages import Stages
from wholecase.features import Bag
from wholecase.instances import Instances, stream
from wholecase.sources import ImageSource, open_source


def encode_image(job: Job, encoder: Encoder) -> dict[str, float]:
    """Put the image's bag into its store; the seconds that each kind of work took.

    Raises:
        StageError: with the stage at which the image failed and the reason; nothing is stored.
    """
    stages = Stages(job.image.path)
    with stages("open"):
        source = open_source(*job.image)
    with source:
        with stages("cut", failing="spacing"):
            instances = job.cut(source)
        values = _encoded(source, instances, encoder, stages)
        facts = facts_of(source)
    with stages("store", failing="encode"):
        job.store.write(
            job.key,
            Bag(values, instances.box_px, instances.position_um, instances.scale, facts),
        )
    return stages.seconds


def facts_of(source: ImageSource) -> dict[str, str]:
    """What later pages tell of the image."""
    facts = {
        "width_px": str(source.levels[0].width_px),
        "height_px": str(source.levels[0].height_px),
    }
    if source.spacing is not None:
        facts |= {"spacing_um": repr(source.spacing.um), "spacing_rung": source.spacing.rung}
    return facts


def _encoded(
    source: ImageSource, instances: Instances, encoder: Encoder, stages: Stages
) -> Float32[np.ndarray, "N D"]:
    # nan is what the store refuses: an instance that was never delivered cannot pass for zeros
    values = np.full((len(instances), encoder.width), np.nan, np.float32)
    batches = stream(source, instances)
    while True:
        with stages("read"):
            batch = next(batches, None)
        if batch is None:
            return values
        indices, pixels = batch
        with stages("encode"):
            values[indices] = encoder.encode(pixels)
