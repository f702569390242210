"""What is sent on names cases and nobody: identifiers are planted wherever people write them."""

import base64
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from toys.quick import quick, tile
from wholecase.cli import main
from wholecase.core.errors import RunError
from wholecase.execution import Place
from wholecase.experiment import Settings, run
from wholecase.report import share

PLANTED = re.compile(rb"QZ\d{4}")


class Plant:
    """Identifiers that stand nowhere else."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> str:
        self.count += 1
        return f"QZ{self.count:04}"


def write_planted(folder: Path) -> tuple[Path, int]:
    """Names of patients, files, folders and sites, further columns, and headers of files."""
    rng, plant = np.random.default_rng(5), Plant()
    rows = ["case_id,patient_id,path,label,kind,site,accession,doctor,scanner"]
    sites, scanners = [plant(), plant()], [plant(), plant()]
    for number in range(24):
        patient, home = plant(), folder / plant()
        home.mkdir()
        for _ in range(2):
            path = home / f"{plant()}.png"
            header = PngInfo()
            for key in ("Title", "Author", "Comment"):
                header.add_text(key, plant())
            Image.fromarray(tile(rng, number % 2 == 1)).save(path, pnginfo=header)
            label = ("wild-type", "mutated")[number % 2]
            place = path.relative_to(folder).as_posix()
            site = sites[number % 2]
            further = f"{plant()},{plant()},{scanners[number % 3 == 0]}"
            rows.append(f"c{number:02},{patient},{place},{label},tile,{site},{further}")
    path.write_bytes(path.read_bytes()[:200])  # one image costs itself, and says why
    manifest = folder / f"{plant()}.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest, plant.count


def found_in(path: Path) -> set[bytes]:
    content = path.read_bytes()
    pictures = re.findall(rb"base64,([A-Za-z0-9+/=]+)", content)
    return {
        name
        for part in (content, *(base64.b64decode(picture) for picture in pictures))
        for name in PLANTED.findall(part)
    }


def test_no_identifier_is_sent_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = tmp_path / "QZ9999"
    home.mkdir()
    manifest, count = write_planted(home)
    assert count >= 252
    settings = Settings(out=home / "QZ9998", place=Place(workers=0), baselines=True)
    summary = run(quick("train.epochs=2"), manifest, settings)
    assert found_in(summary.run.exclusions)  # they were there to be told
    assert found_in(summary.run.report)
    out = tmp_path / "shared"
    with pytest.raises(SystemExit) as left:
        main(["report", str(summary.run.root), "--share", str(out)])
    assert left.value.code == 0
    files = [path for path in out.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"report.html", "metrics.json", "predictions.csv"}
    assert {name for path in files for name in found_in(path)} == set()
    assert "QZ" not in "".join(path.name for path in files)
    page = (out / "report.html").read_text()
    for told in ("c07", "patient 8", "site 2", "value 2", "he file cannot be opened", "AUROC"):
        assert told in page
    assert str(tmp_path) not in page
    with pytest.raises(RunError, match="shared is not empty"):
        share(summary.run.root, out)
