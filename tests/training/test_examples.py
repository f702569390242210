"""Packing tells where images begin, and sampling keeps them together."""

import pytest
import torch

from toys.toy import InMemory
from wholecase.training import Example, Shuffled, pack


def example(case: str, image: list[int] | None) -> Example:
    values = torch.arange(len(image or [0]), dtype=torch.float32)[:, None]
    return Example(case, case, values, image=None if image is None else torch.tensor(image))


def test_images_of_neighbouring_cases_stay_apart() -> None:
    packed = pack([example("a", [0, 0, 2]), example("b", [2, 2, 0, 1]), example("c", [1])])
    assert packed.starts.tolist() == [0, 3, 7, 8]
    assert packed.images is not None
    assert packed.images.tolist() == [0, 2, 3, 5, 6, 7, 8]
    assert packed.to("cpu").images is not None


def test_the_column_is_there_for_all_or_for_none() -> None:
    assert pack([example("a", [0, 1]), example("b", None)]).images is None


def test_instances_of_an_image_stand_together() -> None:
    with pytest.raises(ValueError, match="case 'a': the instances of an image stand apart"):
        pack([example("a", [0, 1, 0])])


def test_a_draw_keeps_the_columns_beside_each_other() -> None:
    sizes = torch.tensor([30, 1, 25, 4])
    image = torch.repeat_interleave(torch.tensor([3, 0, 1, 2]), sizes)
    whole = Example(
        "a",
        "a",
        torch.stack([torch.arange(60.0), image.float()], 1),
        scale=torch.arange(60.0),
        position=torch.arange(60.0)[:, None].expand(60, 3),
        image=image,
    )
    seen = set()
    for number in range(6):
        (batch,) = Shuffled(InMemory([whole]), 0, max_instances=9).epoch(number)
        assert len(batch.values) == 9
        assert batch.images is not None
        for begin, end in zip(batch.images[:-1], batch.images[1:], strict=True):
            assert len(batch.values[begin:end, 1].unique()) == 1
        assert len(batch.images) - 1 == len(batch.values[:, 1].unique())
        assert batch.scale is not None
        assert batch.position is not None
        assert torch.equal(batch.scale, batch.values[:, 0])
        assert torch.equal(batch.position[:, 2], batch.values[:, 0])
        seen.add(len(batch.images) - 1)
    assert min(seen) < 4, "a small image may drop out of a draw"
