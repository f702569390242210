"""`wholecase doctor`: what works here."""


def doctor() -> int:
    """Tell what works on this machine: readers, codecs, devices, memory. Exit code 1 if not all."""
    from wholecase.cli.examination import examine

    healthy = True
    for name, works, answer in examine():
        healthy &= works
        print(f"{'ok  ' if works else 'FAIL'}  {name:12} {answer}")
    return 0 if healthy else 1
