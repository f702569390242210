"""Weights of the smallest network that timm has, as a file."""

from pathlib import Path

TINY = "test_resnet"
"""timm's own for tests: 96 wide, 160 px."""


def tiny_weights(folder: Path) -> str:
    """Drawn at random, the same each time."""
    import timm
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    path = folder / "tiny.safetensors"
    save_file({k: v.contiguous() for k, v in timm.create_model(TINY).state_dict().items()}, path)
    return str(path)
