"""What lies where in a run folder."""

from wholecase.runs.claim import CLAIM, claimed
from wholecase.runs.layout import FINAL, SCHEMA, FoldFolder, RunFolder, read_rows, write_rows
from wholecase.runs.manifest import manifest_of
from wholecase.runs.votes import VotingRun, refuse_changed, run_digest, voters, voting_runs

__all__ = [
    "CLAIM",
    "FINAL",
    "SCHEMA",
    "FoldFolder",
    "RunFolder",
    "VotingRun",
    "claimed",
    "manifest_of",
    "read_rows",
    "refuse_changed",
    "run_digest",
    "voters",
    "voting_runs",
    "write_rows",
]
