"""Local weight files: what they are, what they hold, and whether they belong to the network."""

from wholecase.weights.clam import ClamWeights, clam_weights
from wholecase.weights.file import WeightFile, find_file, weight_file
from wholecase.weights.layouts import LAYOUTS
from wholecase.weights.match import Match, load_weights
from wholecase.weights.packaged import PACKAGES, package_for
from wholecase.weights.sidecar import Sidecar, read_sidecar
from wholecase.weights.state import read_state, state_sha256
from wholecase.weights.translations import TRANSLATIONS

__all__ = [
    "LAYOUTS",
    "PACKAGES",
    "TRANSLATIONS",
    "ClamWeights",
    "Match",
    "Sidecar",
    "WeightFile",
    "clam_weights",
    "find_file",
    "load_weights",
    "package_for",
    "read_sidecar",
    "read_state",
    "state_sha256",
    "weight_file",
]
