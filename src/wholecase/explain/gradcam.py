"""Where a network trained from pixels sees what speaks for a class (Selvaraju 2017)."""

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.models import MAPS, Answer, Batch, CaseModel, device_of, mapped, past_part


def grad_cam(model: CaseModel, batch: Batch, target: int) -> Float[np.ndarray, "T h w"]:
    """Grad-CAM of each instance, for class `target` of its case.

    Each map of the last convolution is weighted by the mean of the class's gradient over it; their
    sum, where it is positive, is the answer. What is differentiated is the log odds of the class
    against all others: for one logit the logit itself, towards the class that is asked for.

    The values are raw, so that an image with nothing to show stays dark beside one that has; divide
    by an instance's maximum to see where within it. The resolution is that of the convolution (24 x
    24 for 96 x 96 pixels and three blocks); nothing is interpolated.

    The model is asked in evaluation mode and left as it was: mode, gradients and weights.

    Args:
        model: with a backbone that has maps.
        batch: pixels, or the maps that the network made of them (`MAPS`); a case may have several
            instances.
        target: index of a class.

    Raises:
        RecipeError: the model has no such backbone, or its head no gradient.
    """
    if mapped(model.backbone) is None:
        raise RecipeError(
            "Grad-CAM needs a model that sees pixels through maps of a convolution, such as one "
            "with `model.backbone: small_cnn`"
        )
    was_training = model.training
    here = batch.to(device_of(model)) if batch.after == MAPS else past_part(model, batch, MAPS)
    model.eval()
    try:
        with torch.enable_grad():
            maps = here.values.detach().requires_grad_()
            here = replace(here, values=maps)
            odds = _log_odds(model, model.decided(model.embedded(here), here), target).sum()
            if not odds.requires_grad:
                raise RecipeError("Grad-CAM needs a head whose probabilities have a gradient")
            # a case does not touch its neighbours, so the sum has each case's own gradient
            (gradient,) = torch.autograd.grad(odds, maps)
    finally:
        model.train(was_training)
    share = gradient.mean((2, 3), keepdim=True)  # [T, E, 1, 1]
    seen: Float[np.ndarray, "T h w"] = (share * maps.detach()).sum(1).relu().cpu().numpy()
    return seen


def _log_odds(model: CaseModel, answer: Answer, target: int) -> Float[Tensor, " B"]:
    rows = model.head.probabilities(answer)
    # others are added up, not taken from 1: a sure answer keeps its gradient
    others = torch.cat([rows[:, :target], rows[:, target + 1 :]], 1).sum(1)
    least = torch.finfo(rows.dtype).tiny
    return rows[:, target].clamp_min(least).log() - others.clamp_min(least).log()
