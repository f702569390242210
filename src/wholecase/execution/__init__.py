"""Doing one thing to many items: spawned processes, one thread each."""

from wholecase.execution.ahead import read_ahead
from wholecase.execution.memory import freed_memory_kept, keep_freed_memory
from wholecase.execution.place import Place, cores
from wholecase.execution.streams import Again, Part, parallel_stream
from wholecase.execution.tell import tell
from wholecase.execution.threads import one_thread
from wholecase.execution.workers import Outcome, parallel_map

__all__ = [
    "Again",
    "Outcome",
    "Part",
    "Place",
    "cores",
    "freed_memory_kept",
    "keep_freed_memory",
    "one_thread",
    "parallel_map",
    "parallel_stream",
    "read_ahead",
    "tell",
]
