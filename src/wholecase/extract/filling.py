"""A bag that is being filled, batch by batch; pixels are let go as soon as they are vectors."""

from typing import final

import numpy as np
from jaxtyping import Float32

from wholecase.core.kinds import RGB
from wholecase.encoders import Encoder
from wholecase.extract.deliver import Delivered, Opened, Pixels
from wholecase.extract.encoded_once import EncodedOnce
from wholecase.extract.jobs import Job
from wholecase.extract.readable import batch_size
from wholecase.extract.stages import StageError, Stages
from wholecase.extract.stored_bag import StoredBag
from wholecase.features import Bag


@final
class Filling:
    """Takes what `deliver` yields, in its order, and stores the bag at the end."""

    def __init__(self, job: Job, encoder: Encoder) -> None:
        self._job, self._encoder = job, encoder
        self._stages = Stages(job.image.path)
        self._opened: Opened | None = None
        self._once: EncodedOnce | None = None

    def take(self, message: Opened | Pixels | Delivered) -> StoredBag | None:
        """Encode what there is to encode; after the last message, what was made.

        Raises:
            StageError: the image failed; nothing is stored.
            UnwritableError: the disk is full, whatever the image.
        """
        if isinstance(message, Opened):
            self._refuse_other_kinds(message)
            self._opened = message
            # nan is what the store refuses: what was never delivered cannot pass for zeros
            shape = len(message.instances), self._encoder.width
            values = np.full(shape, np.nan, np.float32)
            size = batch_size(message.instances.side_px, message.kind)
            self._once = EncodedOnce(self._encoder.encode, size, values)
        elif isinstance(message, Pixels):
            assert self._once is not None  # noqa: S101 (made by the first message)
            with self._stages("encode"):
                self._once.take(message.indices, message.pixels)
        else:
            return self._finish(message)
        return None

    def _refuse_other_kinds(self, opened: Opened) -> None:
        if opened.kind != RGB:
            raise StageError(
                "encode",
                f"{self._job.image.path}: holds {opened.kind.name} pixels, and the encoder "
                f"{self._encoder.identity} takes {RGB.name}; learn from the pixels with "
                f"model.backbone instead, or export pictures in colour",
            )

    def _finish(self, delivered: Delivered) -> StoredBag:
        assert self._opened is not None  # noqa: S101 (the first message)
        assert self._once is not None  # noqa: S101
        with self._stages("encode"):
            self._once.finish()
        with self._stages("write", failing="encode"):
            bag = self._bag(self._opened, delivered, self._once.values)
            # before the bag: where it is, they are
            for ending, content in self._opened.beside.items():
                self._job.store.write_beside(self._job.key, ending, content)
            self._job.store.write(self._job.key, bag)
        seconds = {**delivered.seconds, **self._stages.seconds}
        skipped, repeated = len(delivered.skipped), self._once.repeated
        return StoredBag("made", len(bag), skipped, seconds, repeated)

    def _bag(
        self, opened: Opened, delivered: Delivered, encoded: Float32[np.ndarray, "N D"]
    ) -> Bag:
        skipped, facts = delivered.skipped, opened.facts
        kept = np.setdiff1d(np.arange(len(opened.instances)), skipped)
        instances = opened.instances.only(kept)
        return Bag(
            # as it is where nothing is missing: a copy may be a gigabyte
            values=encoded[kept] if len(skipped) else encoded,
            box_px=instances.box_px,
            position_um=instances.position_um,
            scale=instances.scale,
            plane=instances.plane,
            facts={**facts, "skipped": str(len(skipped))} if len(skipped) else facts,
        )
