"""Without a terminal, long work still says how far it is."""

from wholecase.core.progress import progress


def test_lines_tell_count_and_rate(capsys) -> None:
    with progress("encoding", 3, "images") as advance:
        advance()
        advance(2)
    told = capsys.readouterr().err
    assert told.startswith("encoding: 3/3, ")
    assert "images/s" in told
