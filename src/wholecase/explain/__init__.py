"""Evidence: heatmaps, and whether they point at the right place."""

from wholecase.explain.annotations import attention_geojson
from wholecase.explain.contact_sheet import TILE_PX, ShownTile, contact_sheet
from wholecase.explain.evidence import (
    ATTENTION,
    GRAD_CAM,
    Evidence,
    read_evidence,
    write_evidence,
)
from wholecase.explain.gradcam import grad_cam
from wholecase.explain.heatmap import AUTO, SCALES, numbers, paint, shown
from wholecase.explain.lesion_slices import LesionSlices, lesion_slices
from wholecase.explain.localisation import localisation_auc, mask_share, white_of
from wholecase.explain.picture_row import picture_row
from wholecase.explain.position_map import position_map
from wholecase.explain.qupath import (
    qupath_image,
    refuse_project,
    viewer_origin,
    write_qupath_project,
)
from wholecase.explain.qupath_project import QuPathImage
from wholecase.explain.series import (
    SliceSaid,
    class_shown,
    has_slices,
    slices_said,
    thinned,
)
from wholecase.explain.series_sheet import leading_sheet, series_sheet
from wholecase.explain.top import least_instances, top_instances
from wholecase.explain.within import VIEW_PX, enlarged, overlay

__all__ = [
    "ATTENTION",
    "AUTO",
    "GRAD_CAM",
    "SCALES",
    "TILE_PX",
    "VIEW_PX",
    "Evidence",
    "LesionSlices",
    "QuPathImage",
    "ShownTile",
    "SliceSaid",
    "attention_geojson",
    "class_shown",
    "contact_sheet",
    "enlarged",
    "grad_cam",
    "has_slices",
    "leading_sheet",
    "least_instances",
    "lesion_slices",
    "localisation_auc",
    "mask_share",
    "numbers",
    "overlay",
    "paint",
    "picture_row",
    "position_map",
    "qupath_image",
    "read_evidence",
    "refuse_project",
    "series_sheet",
    "shown",
    "slices_said",
    "thinned",
    "top_instances",
    "viewer_origin",
    "white_of",
    "write_evidence",
    "write_qupath_project",
]
