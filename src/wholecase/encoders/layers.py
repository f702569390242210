"""Layers that published networks are built of, by the names that data may use for them."""

from collections.abc import Callable, Mapping
from typing import Any, final

from torch import Tensor, nn

from wholecase.core.lookup import look_up


@final
class ConvStem(nn.Module):
    """Two strided convolutions instead of one patchwise projection (Xiao 2021), four to one.

    Takes the place of timm's patch embedding in a Swin transformer, as in CTransPath (Wang 2022).
    """

    def __init__(
        self,
        img_size: int | tuple[int, int] = 224,
        patch_size: int = 4,
        in_chans: int = 3,
        embed_dim: int = 96,
        norm_layer: Any = None,  # noqa: ANN401 (a class or a function)
        **_others: Any,  # noqa: ANN401 (what timm tells its own embedding)
    ) -> None:
        super().__init__()
        height, width = (img_size, img_size) if isinstance(img_size, int) else img_size
        self.grid_size = (height // patch_size, width // patch_size)
        self.num_patches = self.grid_size[0] * self.grid_size[1]
        steps: list[nn.Module] = []
        given, made = in_chans, embed_dim // 8
        for _ in range(2):
            steps += [
                nn.Conv2d(given, made, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(made),
                nn.ReLU(inplace=True),
            ]
            given, made = made, made * 2
        self.proj = nn.Sequential(*steps, nn.Conv2d(given, embed_dim, 1))
        self.norm = nn.Identity() if norm_layer is None else norm_layer(embed_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Pixels [B, 3, H, W] -> patches [B, H / 4, W / 4, E]."""
        projected: Tensor = self.norm(self.proj(x).permute(0, 2, 3, 1))
        return projected


def _swiglu_packed() -> Any:  # noqa: ANN401 (timm's constructor of a layer)
    from timm import layers

    return layers.SwiGLUPacked  # type: ignore[attr-defined]  # timm's stub leaves it out


def _conv_stem() -> Any:  # noqa: ANN401
    return ConvStem


LAYERS: dict[str, Callable[[], Any]] = {
    "swiglu_packed": _swiglu_packed,
    "conv_stem": _conv_stem,
}
"""Name -> how the constructor of the layer is come by."""
BY_NAME = ("mlp_layer", "embed_layer")
"""Arguments of timm that name a layer. Activations and norms timm knows by name itself."""


def with_layers(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments with constructors in the place of the names of layers.

    Raises:
        RecipeError: no layer has that name.
    """
    return {
        key: look_up(LAYERS, value, "layer")()
        if key in BY_NAME and isinstance(value, str)
        else value
        for key, value in arguments.items()
    }
