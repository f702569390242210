"""Evidence: heatmaps, and whether they point at the right place."""

from wholecase.explain.annotations import attention_geojson
from wholecase.explain.evidence import Evidence, read_evidence, write_evidence
from wholecase.explain.heatmap import SCALES, paint
from wholecase.explain.localisation import localisation_auc, mask_share
from wholecase.explain.top import top_instances

__all__ = [
    "SCALES",
    "Evidence",
    "attention_geojson",
    "localisation_auc",
    "mask_share",
    "paint",
    "read_evidence",
    "top_instances",
    "write_evidence",
]
