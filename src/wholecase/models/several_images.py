"""Judging a case image by image: bags become images, and afterwards cases again."""

from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.models.batch import Batch, Embedded, Pooled
from wholecase.models.segments import owners, segment_sum


def image_bounds(embedded: Embedded, batch: Batch) -> Int[Tensor, " image_bounds"]:
    """Where images begin within the vectors, and the end.

    A backbone that makes several vectors of an instance keeps the order of the instances.

    Raises:
        ValueError: the batch does not tell its images.
    """
    if batch.images is None:
        raise ValueError("the model judges image by image, and the batch does not tell its images")
    if embedded.origin is None:
        return batch.images
    return torch.searchsorted(embedded.origin, batch.images)


def joined(pooled: Pooled, shares: Float[Tensor, "I L"], first: Int[Tensor, " bounds"]) -> Pooled:
    """One bag per case: an instance weighs its weight in the image times the image's share.

    The scores stay as the aggregator gave them: one network scored the instances of all images,
    so they can be ranked within the case as in one bag.

    Args:
        pooled: one bag per image.
        shares: how much each image had to do with each logit of its case. Where the aggregator has
            another number of branches than there are logits, the mean over the logits counts.
        first: [B + 1], the number of each case's first image, and of images.
    """
    if shares.shape[1] != pooled.embedding.shape[1]:
        shares = shares.mean(1, keepdim=True)
    return replace(
        pooled,
        embedding=segment_sum(shares[:, :, None] * pooled.embedding, first),  # [B, K, E]
        weights=pooled.weights * shares[owners(pooled.starts)],
        starts=pooled.starts[first],
    )
