"""`wholecase doctor`: what works here."""

from wholecase.cli.document import Json, document


def doctor(*, as_json: Json = False) -> int:
    """Tell what works on this machine: readers, codecs, devices, memory. Exit code 1 if not all."""
    from wholecase.cli.examination import examine

    with document("doctor", asked=as_json) as told:
        told["examinations"] = []
        for name, works, found in examine():
            print(f"{'ok  ' if works else 'FAIL'}  {name:12} {found}")
            told["examinations"].append({"name": name, "works": works, "found": found})
        healthy = all(one["works"] for one in told["examinations"])
        told["healthy"] = healthy
    return 0 if healthy else 1
