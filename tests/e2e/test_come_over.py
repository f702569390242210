"""Features without slides, in the files of other tools, train and report."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from toys.feature_files import clam_h5, clam_patches, clam_pt, stamp, trident
from toys.quick import quick as few_epochs
from wholecase.assemble import plan_of
from wholecase.cli import main
from wholecase.cohort import read_cohort
from wholecase.core.errors import ManifestError, SourceError, SplitError, StoreError
from wholecase.encoders import FIELD
from wholecase.execution import Place
from wholecase.experiment import Settings, run
from wholecase.extract import extract
from wholecase.recipes import Recipe
from wholecase.runs import read_rows
from wholecase.sources import open_source

WIDTH = 16


def quick(*overrides: str) -> Recipe:
    return few_epochs("protocol.folds=2", "evaluate.bootstrap=100", *overrides)


def drawn(rng: np.random.Generator, mutated: bool) -> np.ndarray:
    """Tiles of noise; of a mutated case some are shifted along one axis."""
    values = rng.normal(size=(int(rng.integers(10, 20)), WIDTH))
    values[: len(values) // 2, 3] += 4.0 * mutated
    return values


def write_cohort(folder: Path, writers: list, suffixes: list[str], patients: int = 24) -> Path:
    rng = np.random.default_rng(3)
    rows = ["case_id,patient_id,path,label,kind"]
    for number in range(patients):
        turn = number // 2 % len(writers)
        name = f"s{number:02}{suffixes[turn]}"
        writers[turn](folder / name, drawn(rng, mutated=number % 2 == 1))
        rows.append(
            f"c{number:02},p{number:02},{name},{('wild-type', 'mutated')[number % 2]},features"
        )
    path = folder / "features.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize(
    ("writers", "suffixes", "identity"),
    [
        ([trident, lambda p, v: trident(p, v, old=True)], [".h5", ".h5"], "stored:uni_v1@16"),
        pytest.param([stamp], [".h5"], "stored:mahmood-uni@16", marks=pytest.mark.slow),
        pytest.param(
            *([clam_h5, clam_pt], [".h5", ".pt"], "stored:unnamed@16"), marks=pytest.mark.slow
        ),
    ],
    ids=["trident", "stamp", "clam"],
)
def test_a_cohort_of_feature_files_trains_and_reports(tmp_path, writers, suffixes, identity):
    path = write_cohort(tmp_path, writers, suffixes)
    recipe = quick("encoder=stored", "train.epochs=10")
    summary = run(recipe, path, Settings(out=tmp_path / "run", place=Place(workers=0)))
    assert summary.failures == ()
    assert summary.metrics["pooled"]["auroc"]["value"] > 0.9
    facts = json.loads(summary.run.facts.read_text())
    assert facts["encoder"] == {"identity": identity, "width": WIDTH, "pixels": None}
    assert len(read_rows(summary.run.predictions)) == 24
    page = summary.run.report.read_text()
    assert "c07" in page
    assert json.loads(summary.run.pictures.read_text()) == {}


def test_all_layouts_together_where_their_encoder_is_named(tmp_path):
    # 256 px of 0.5 µm, as the other tool's
    alike = partial(stamp, tile_size_um=128.0, tile_size_px=256)
    writers = [trident, alike, clam_h5, clam_pt]
    path = write_cohort(tmp_path, writers, [".h5", ".h5", ".h5", ".pt"])
    settings = Settings(out=tmp_path / "run", place=Place(workers=0))
    with pytest.raises(StoreError) as caught:
        run(quick("encoder=stored"), path, settings)
    for part in ("s00.h5 has the encoder uni_v1", "s02.h5 has the encoder mahmood-uni"):
        assert part in str(caught.value)
    named = quick("encoder={name: stored, identity: uni}", "train.epochs=10")
    summary = run(named, path, Settings(out=tmp_path / "named", place=Place(workers=0)))
    assert summary.metrics["pooled"]["auroc"]["value"] > 0.9


def test_a_file_is_converted_once_and_anew_when_its_patch_file_comes(tmp_path):
    path = write_cohort(tmp_path, [clam_pt], [".pt"], patients=4)
    plan = plan_of(quick("encoder=stored"), tmp_path / "store")
    cohort = read_cohort(path, None)
    counts = []
    for workers in (1, 0):
        done = extract(cohort, plan, Place(workers=workers))
        counts.append((done.encoded, done.reused))
    assert (done.bag(cohort.cases[0].images[0]).box_px == 0).all()
    clam_patches(tmp_path / "s00.pt", len(done.bag(cohort.cases[0].images[0])))
    done = extract(cohort, plan, Place(workers=0))
    assert [*counts, (done.encoded, done.reused)] == [(4, 0), (0, 4), (1, 3)]
    assert (done.bag(cohort.cases[0].images[0]).box_px[:, 2] == 512).all()
    assert done.size_px(cohort.cases[0].images[0]) == (10_000, 8000)
    assert done.size_px(cohort.cases[1].images[0]) is None


def test_two_widths_are_never_mixed(tmp_path):
    path = write_cohort(tmp_path, [trident], [".h5"])
    trident(tmp_path / "s09.h5", np.random.default_rng(0).normal(size=(5, WIDTH + 1)))
    recipe = quick("encoder={name: stored, identity: uni}")
    with pytest.raises(StoreError) as caught:
        run(recipe, path, Settings(out=tmp_path / "run", place=Place(workers=0)))
    for part in ("s00.h5 has 16 numbers per tile", "s09.h5 has 17"):
        assert part in str(caught.value)


def test_one_patients_numbers_under_two_names_stop_the_run(tmp_path):
    path = write_cohort(tmp_path, [trident], [".h5"])
    values = np.random.default_rng(0).normal(size=(9, WIDTH))
    trident(tmp_path / "s04.h5", values)
    trident(tmp_path / "s09.h5", values[::-1], old=True)
    with pytest.raises(SplitError, match=r"s04\.h5 .* and .*s09\.h5|s09\.h5 .* and .*s04\.h5"):
        run(quick("encoder=stored"), path, Settings(out=tmp_path / "run", place=Place(workers=0)))


def test_a_bad_file_costs_itself(tmp_path):
    path = write_cohort(tmp_path, [trident], [".h5"])
    (tmp_path / "s04.h5").write_bytes(b"not HDF5")
    trident(tmp_path / "s05.h5", np.full((5, WIDTH), np.nan))
    (tmp_path / "s06.h5").unlink()
    summary = run(
        quick("encoder=stored"), path, Settings(out=tmp_path / "run", place=Place(workers=0))
    )
    reasons = {Path(p).name: reason for p, reason in summary.failures}
    assert sorted(reasons) == ["s04.h5", "s05.h5", "s06.h5"]
    assert "no HDF5" in reasons["s04.h5"]
    assert "5 of 5 tiles" in reasons["s05.h5"]
    assert "no such file" in reasons["s06.h5"]
    assert summary.cases_out == 3


def test_the_code_in_a_tensor_file_is_not_run(tmp_path):
    import torch

    sprung = tmp_path / "sprung"

    class Trap:
        def __reduce__(self):
            return (open, (str(sprung), "w"))

    path = write_cohort(tmp_path, [clam_pt], [".pt"])
    torch.save(Trap(), tmp_path / "s04.pt")
    torch.save({"features": torch.ones(3, WIDTH)}, tmp_path / "s05.pt")
    summary = run(
        quick("encoder=stored"), path, Settings(out=tmp_path / "run", place=Place(workers=0))
    )
    assert not sprung.exists()
    assert {Path(p).name for p, _ in summary.failures} == {"s04.pt", "s05.pt"}


def test_rows_and_encoder_must_go_together(tmp_path):
    path = write_cohort(tmp_path, [trident], [".h5"])
    with pytest.raises(ManifestError, match=r"line 2: s00\.h5 holds features.*encoder=stored"):
        run(quick(), path, Settings(out=tmp_path / "a", place=Place(workers=0)))
    path.write_text(path.read_text().replace(",features", ",tile", 1))
    with pytest.raises(ManifestError, match=r"line 2: s00\.h5 is of kind tile"):
        run(quick("encoder=stored"), path, Settings(out=tmp_path / "b", place=Place(workers=0)))


def test_a_run_on_features_answers_about_new_files(tmp_path, capsys):
    path = write_cohort(tmp_path, [trident], [".h5"])
    out = tmp_path / "run"
    run(quick("encoder=stored", "train.epochs=10"), path, Settings(out=out, place=Place(workers=0)))
    new = tmp_path / "new"
    new.mkdir()
    rng = np.random.default_rng(8)
    files = [trident(new / f"n{i}.h5", drawn(rng, mutated=i == 1)) for i in range(2)]
    told = tmp_path / "told.csv"
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(out), *map(str, files), "--out", str(told), "--workers", "1"])
    assert ended.value.code == 0, capsys.readouterr().err
    rows = {row["case_id"]: float(row["probability_mutated"]) for row in read_rows(told)}
    assert rows["n1"] > rows["n0"]
    coarse = trident(new / "coarse.h5", drawn(rng, mutated=False), power=10)
    with pytest.raises(SystemExit) as ended:
        main(["predict", str(out), str(files[0]), str(coarse), "--out", str(told)])
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert "n0.h5 has tiles at 20x (0.5 µm/px)" in said
    assert "coarse.h5 has tiles at 10x (1 µm/px)" in said
    with pytest.raises(SystemExit) as ended:
        main(["explain", str(out), "--case", "c01", "--out", str(tmp_path / "shown")])
    assert ended.value.code == 0
    # there is nothing to draw; the tiles with their weights are told
    shown = {path.name for path in (tmp_path / "shown").iterdir()}
    assert "c01-instances.csv" in shown
    assert not any(name.endswith(".png") for name in shown)


def test_features_are_no_picture(tmp_path):
    path = trident(tmp_path / "s.h5", np.ones((3, WIDTH)))
    with pytest.raises(SourceError, match=r"s\.h5: holds features and no pixels"):
        open_source(path, "features")


def told_by(capsys, *command: str) -> tuple[int, list[str]]:
    with pytest.raises(SystemExit) as ended:
        main(command)
    return ended.value.code, capsys.readouterr().out.splitlines()


def test_files_are_looked_into(tmp_path, capsys):
    good = stamp(tmp_path / "a.h5", np.random.default_rng(0).normal(size=(3, WIDTH)))
    other = clam_pt(tmp_path / "b.pt", np.random.default_rng(1).normal(size=(4, WIDTH)))
    bad = tmp_path / "c.npy"
    bad.write_bytes(b"x")
    code, lines = told_by(capsys, "features", "show", str(good), str(other), str(bad))
    assert code == 1
    assert lines[0].endswith(
        "a.h5: STAMP, mahmood-uni, 3 tiles of 16 numbers, seen at 1.143 µm/px of 224 px, "
        "placed in µm, no boxes in px"
    )
    assert lines[1].endswith(
        "encoder not told, 4 tiles of 16 numbers, scale not told, not placed in µm, no boxes in px"
    )
    assert "its name should end in .h5" in lines[2]
    assert "feature files are mixed" in lines[3]


def test_every_published_encoder_is_listed(capsys):
    code, lines = told_by(capsys, "features", "encoders")
    assert code == 0
    assert {line.split()[0] for line in lines[1 : len(FIELD) + 1]} == set(FIELD)
    assert any("conch-v1.5: its vectors come out of an attention pooler" in x for x in lines)
