"""One image from file to store: what a worker does."""

from wholecase.encoders import Encoder
from wholecase.extract.deliver import deliver
from wholecase.extract.filling import Filling
from wholecase.extract.jobs import Job
from wholecase.extract.picture import jpeg
from wholecase.extract.stages import StageError
from wholecase.extract.stored_bag import StoredBag, found


def encode_image(job: Job, encoder: Encoder) -> StoredBag:
    """Put the image's bag into its store, unless another process did or does.

    Raises:
        StageError: with the stage at which the image failed and the reason; nothing is stored.
        UnwritableError: the store's disk is full or may not be written.
    """
    claim = job.store.claim(job.key)
    if claim is None:
        return StoredBag("busy")
    with claim:
        # another process may have finished between the look into the store and the claim
        if there := found(job):
            return there
        filling = Filling(job, encoder)
        try:
            for message in deliver(job):
                made = filling.take(message)
        except StageError as error:
            keep_refused(job, error)
            raise
    assert made is not None  # noqa: S101 (the last message is followed by it)
    return made


def keep_refused(job: Job, error: StageError) -> None:
    """Keep the picture of an image in which no tissue was found: somebody will want to see it.

    Raises:
        UnwritableError: the store's disk is full or may not be written.
    """
    if error.picture is not None:
        job.store.write_refused(job.key, jpeg(error.picture))
