"""Pool instances into the embedding of a case."""

from wholecase.core.table import Table
from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.aggregators.attention import Attention, GatedAttention
from wholecase.models.aggregators.concatenated import Concatenated
from wholecase.models.aggregators.cross_magnification import CrossMagnification
from wholecase.models.aggregators.max import MaxPool
from wholecase.models.aggregators.mean import MeanPool
from wholecase.models.aggregators.self_attention import SelfAttention

AGGREGATORS: Table[type[Aggregator]] = Table(
    "aggregator",
    {
        "attention": Attention,
        "concatenated": Concatenated,
        "cross_magnification": CrossMagnification,
        "gated_attention": GatedAttention,
        "max": MaxPool,
        "mean": MeanPool,
        "self_attention": SelfAttention,
    },
    Aggregator,
    ("width", "classes"),
)

__all__ = [
    "AGGREGATORS",
    "Aggregator",
    "Attention",
    "Concatenated",
    "CrossMagnification",
    "GatedAttention",
    "MaxPool",
    "MeanPool",
    "SelfAttention",
]
