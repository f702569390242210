"""A run's models and cases -> judgements."""

from wholecase.answer.additions import additions_of, gallery_notes
from wholecase.answer.bags import CaseBag, CaseExamples, Reading, examples_of, has_bag, read_case
from wholecase.answer.case_pictures import (
    Sitting,
    draw,
    heat,
    map_pictures,
    save_picture,
)
from wholecase.answer.faithful import SHARES, Faithfulness, faithfulness
from wholecase.answer.image_decisions import ImageAlone, images_alone
from wholecase.answer.judgement import Judgement, scores_of
from wholecase.answer.judging import judge
from wholecase.answer.localising import Localised, localise
from wholecase.answer.members import FoldModel, Member, Vote, voted
from wholecase.answer.neighbours import SHOWN as SHOWN_NEIGHBOURS
from wholecase.answer.neighbours import Neighbour, names_by_code
from wholecase.answer.novelty import familiar_of, write_familiar
from wholecase.answer.scale_pictures import scales_picture
from wholecase.answer.seen import Seen, contents_of, write_contents
from wholecase.answer.series_pictures import (
    is_series,
    leading_slices,
    pixel_um,
    read_slices,
    series_picture,
    slice_maps,
    told,
)
from wholecase.answer.support import joint_evidence
from wholecase.answer.targets import covariates_of
from wholecase.answer.tiles import read_tiles
from wholecase.answer.trained import TrainedRun, load_fold, load_run, read_choices

__all__ = [
    "SHARES",
    "SHOWN_NEIGHBOURS",
    "CaseBag",
    "CaseExamples",
    "Faithfulness",
    "FoldModel",
    "ImageAlone",
    "Judgement",
    "Localised",
    "Member",
    "Neighbour",
    "Reading",
    "Seen",
    "Sitting",
    "TrainedRun",
    "Vote",
    "additions_of",
    "contents_of",
    "covariates_of",
    "draw",
    "examples_of",
    "faithfulness",
    "familiar_of",
    "gallery_notes",
    "has_bag",
    "heat",
    "images_alone",
    "is_series",
    "joint_evidence",
    "judge",
    "leading_slices",
    "load_fold",
    "load_run",
    "localise",
    "map_pictures",
    "names_by_code",
    "pixel_um",
    "read_case",
    "read_choices",
    "read_slices",
    "read_tiles",
    "save_picture",
    "scales_picture",
    "scores_of",
    "series_picture",
    "slice_maps",
    "told",
    "voted",
    "write_contents",
    "write_familiar",
]
