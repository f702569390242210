"""What a fold's model rests on."""

from pathlib import Path

from wholecase.cohort import Case, Fold, Image
from wholecase.experiment.keys import learnt_key
from wholecase.extract import Extraction
from wholecase.recipes import read_recipe


def key(weights: str, folder: Path) -> str:
    recipe = read_recipe("brain-mets-ct", [f"model.backbone.weights={weights}"])
    sides = [
        (Case(name, name, (Image(folder / name, "ct", 2),), target=0),) for name in ("a", "b", "c")
    ]
    nothing = Extraction("ct pixels", 1, {}, (), {}, {}, 0, 0, 0, {}, 0)
    return learnt_key(recipe, Fold(0, *sides), nothing)


def test_other_weights_to_begin_with_are_another_model(tmp_path: Path) -> None:
    file = tmp_path / "net.pt"
    file.write_bytes(b"one")
    plain, first = key("null", tmp_path), key(str(file), tmp_path)
    assert first != plain
    assert key(str(file), tmp_path) == first
    file.write_bytes(b"two")
    assert key(str(file), tmp_path) != first


def test_weights_of_a_network_inside_another_count_as_well(tmp_path: Path) -> None:
    file = tmp_path / "net.pt"
    file.write_bytes(b"one")
    nothing = Extraction("pixels", 3, {}, (), {}, {}, 0, 0, 0, {}, 0)
    sides = [(Case(name, name, (Image(tmp_path / name, "still", 2),)),) for name in ("a", "b", "c")]

    def of(weights: str) -> str:
        inner = f"model.backbone.network.network.weights={weights}"
        return learnt_key(read_recipe("breakhis-mmnet", [inner]), Fold(0, *sides), nothing)

    plain, first = of("null"), of(str(file))
    assert first != plain
    file.write_bytes(b"two")
    assert of(str(file)) not in {plain, first}
