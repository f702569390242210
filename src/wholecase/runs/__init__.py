"""What lies where in a run folder."""

from wholecase.runs.claim import CLAIM, claimed
from wholecase.runs.layout import FINAL, SCHEMA, FoldFolder, RunFolder, read_rows, write_rows
from wholecase.runs.manifest import manifest_of
from wholecase.runs.mark import BY_IMAGE, SIDES, forced, mark_in, mark_of
from wholecase.runs.votes import VotingRun, refuse_changed, run_digest, voters, voting_runs

__all__ = [
    "BY_IMAGE",
    "CLAIM",
    "FINAL",
    "SCHEMA",
    "SIDES",
    "FoldFolder",
    "RunFolder",
    "VotingRun",
    "claimed",
    "forced",
    "manifest_of",
    "mark_in",
    "mark_of",
    "read_rows",
    "refuse_changed",
    "run_digest",
    "voters",
    "voting_runs",
    "write_rows",
]
