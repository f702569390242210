"""CLAM's decision: a loss on the bag, and one that clusters its most and least attended tiles."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.models.batch import Answer, Batch
from wholecase.models.heads.class_weights import ClassWeights, Weighting
from wholecase.models.heads.head import Head
from wholecase.models.heads.layers import Judge

MARGIN, TEMPERATURE = 1.0, 1.0


def smooth_svm(logits: Float[Tensor, "M C"], targets: Int[Tensor, " M"]) -> Float[Tensor, ""]:
    """Smooth top-1 SVM, mean over instances (Berrada 2018, eq. 4): margin 1, temperature 1."""
    right = logits.gather(1, targets[:, None])
    excess = logits - right + MARGIN
    excess = excess.scatter(1, targets[:, None], 0.0)
    return (TEMPERATURE * (excess / TEMPERATURE).logsumexp(1)).mean()


InstanceLoss = Callable[[Tensor, Tensor], Tensor]
INSTANCE_LOSSES: dict[str, InstanceLoss] = {"svm": smooth_svm, "cross_entropy": F.cross_entropy}


@final
class Clam(Head):
    """Clustering-constrained attention (Lu 2021).

    For the true class the k most attended instances of a bag should be told from the k least
    attended by that class's own little classifier; with `subtyping` the most attended of the other
    classes should be denied by theirs. k is clipped to half the bag, so that no instance is
    labelled both ways; a bag of one has no instance loss, nor has one whose instances are all
    attended alike, such as every bag under a plain mean. The little classifiers are not used when
    judging.

    Args:
        width: numbers per embedding.
        classes: how many.
        hidden: widths of the layers between embedding and logits; none is the published form.
        output: `sigmoid` decides two classes by one logit, `softmax` by a logit per class.
        k_sample: instances taken from each end.
        instance_loss: `svm` (smooth top-1) or `cross_entropy`.
        bag_weight: share of the bag loss; the instance loss has the rest.
        subtyping: whether classes exclude each other within a bag.
        dropout: after each hidden layer.
        class_weights: factor on a case's loss by its class, mean 1 over the training cases: none,
            `balanced`, or a list in the order of the classes.
        counts: training cases per class, for the weights.
    """

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int,
        branches: int = 1,
        *,
        hidden: Sequence[int] = (),
        output: str = "softmax",
        k_sample: int = 8,
        instance_loss: str = "svm",
        bag_weight: float = 0.7,
        subtyping: bool = False,
        dropout: float = 0.25,
        class_weights: Weighting = None,
        counts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self._width = 1 if output == "sigmoid" else classes
        _check(output, classes, (branches, self._width), (k_sample, bag_weight))
        self._classes, self._k, self._subtyping = classes, k_sample, subtyping
        self._bag_weight = bag_weight
        self._instance_loss = look_up(INSTANCE_LOSSES, instance_loss, "instance loss")
        self.judge = Judge(width, self._width, hidden=hidden, dropout=dropout)
        self.weigh = ClassWeights(class_weights, classes, counts)
        self.instance = nn.ModuleList(nn.Linear(width, 2) for _ in range(classes))

    @property
    def logit_width(self) -> int:
        """One, or one per class."""
        return self._width

    def logits(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M L"]:
        """The bag classifier."""
        judged: Tensor = self.judge(embedding)
        return judged

    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """Bag and instance loss by their weights, mean over cases."""
        share, label = self._bag_weight, batch.targets["label"]
        bags, clusters = self._bag_losses(answer, label), self._clustered(answer, label)
        weighed: Tensor = self.weigh(share * bags + (1 - share) * clusters, label)
        return weighed

    def cluster(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """The instance loss, mean over cases; a bag of one adds nothing."""
        return self._clustered(answer, batch.targets["label"]).mean()

    def probabilities(self, answer: Answer) -> Float[Tensor, "B C"]:
        """By sigmoid or softmax."""
        if self._width > 1:
            return answer.logits.softmax(1)
        logit = answer.logits[:, 0]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], 1)

    def _bag_losses(self, answer: Answer, label: Tensor) -> Tensor:
        if self._width > 1:
            return F.cross_entropy(answer.logits, label, reduction="none")
        logit = answer.logits[:, 0]
        return F.binary_cross_entropy_with_logits(logit, label[:, 1], reduction="none")

    def _clustered(self, answer: Answer, label: Tensor) -> Tensor:
        bags = [self._clusters(answer, b, c) for b, c in enumerate(label.argmax(1).tolist())]
        rows = [cluster.rows for bag in bags for cluster in bag]
        if not rows:
            return answer.logits.new_zeros(len(bags))
        # looked up once for all: the gradient of a look-up is as large as the instances together
        shown = answer.pooled.instances[torch.cat(rows)]
        each = iter(torch.split(shown, [len(some) for some in rows]))
        return torch.stack([self._of_bag(bag, each, answer.logits) for bag in bags])

    def _of_bag(
        self, clusters: Sequence["_Cluster"], shown: Iterator[Tensor], like: Tensor
    ) -> Tensor:
        if not clusters:
            return like.new_zeros(())
        parts = [
            self._instance_loss(self.instance[one.classifier](next(shown)), one.wanted)
            for one in clusters
        ]
        total = torch.stack(parts).sum()
        return total / self._classes if self._subtyping else total

    def _clusters(self, answer: Answer, b: int, label: int) -> list["_Cluster"]:
        """Of a bag, by the class that it is of; none where attention tells no instances apart."""
        begin, end = answer.pooled.starts[b : b + 2].tolist()
        k = min(self._k, (end - begin) // 2)
        scores = answer.pooled.scores[begin:end]
        if k == 0 or bool((scores == scores[0]).all()):
            return []
        return [
            _cluster(c, scores[:, min(c, scores.shape[1] - 1)], begin, k, deny=c != label)
            for c in range(self._classes)
            if c == label or self._subtyping
        ]


@dataclass(frozen=True)
class _Cluster:
    """Instances that one classifier of instances is asked about."""

    classifier: int
    rows: Int[Tensor, " N"]
    """Among those of all bags."""
    wanted: Int[Tensor, " N"]


def _cluster(number: int, scores: Tensor, begin: int, k: int, *, deny: bool) -> _Cluster:
    """The k instances of most attention, and of the bag's own class the k of least besides."""
    order = scores.argsort(descending=True, stable=True)
    chosen = order[:k] if deny else torch.cat([order[:k], order[-k:]])
    wanted = torch.zeros(len(chosen), dtype=torch.long, device=scores.device)
    if not deny:
        wanted[:k] = 1
    return _Cluster(number, chosen + begin, wanted)


def _check(output: str, classes: int, widths: tuple[int, int], numbers: tuple[int, float]) -> None:
    (branches, logits), (k_sample, bag_weight) = widths, numbers
    if output not in {"sigmoid", "softmax"}:
        raise RecipeError(f"the output of clam is sigmoid or softmax, not {output!r}")
    if output == "sigmoid" and classes != 2:
        raise RecipeError(f"clam with output sigmoid decides 2 classes, not {classes}; use softmax")
    if branches not in {1, logits}:
        raise RecipeError(
            f"clam has {logits} logits for {branches} branches of attention; "
            "use output softmax with branches multi"
        )
    if k_sample < 1 or not 0 <= bag_weight <= 1:
        raise RecipeError("clam needs k_sample of at least 1 and bag_weight between 0 and 1")
