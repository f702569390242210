"""The encoders of the field by name: what each is, how it wants its pictures, whose it is.

Architectures, normalisation and pooling are as the authors' model cards tell them. Licences are
notes for the reader, not advice: read the card before use.
"""

from typing import Any

from wholecase.encoders.entry import Published

_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_OPTIMUS = ((0.707223, 0.578729, 0.703617), (0.211883, 0.230117, 0.177517))
_HIBOU = ((0.7068, 0.5755, 0.722), (0.195, 0.2316, 0.1816))
_LUNIT = ((0.70322989, 0.53606487, 0.66096631), (0.21716536, 0.26081574, 0.20723464))
_ALL_POWERS = (0.25, 0.5, 1.0, 2.0)
"""40x, 20x, 10x and 5x."""
_SWIGLU = {"mlp_layer": "swiglu_packed", "act_layer": "silu"}
_KAIKO = "https://github.com/kaiko-ai/towards_large_pathology_fms/releases/download/0.0.1/"
_LUNIT_AT = (
    "https://github.com/lunit-io/benchmark-ssl-pathology/releases/download/pretrained-weights/"
)
_NC_ND = "CC-BY-NC-ND-4.0, access on request"
_OWKIN = "Owkin non-commercial"
_KAIKO_NC = "Kaiko non-commercial"
_LUNIT_NC = "Lunit non-commercial"
_OWN_POOLER = (
    "its vectors come out of an attention pooler that timm does not have, so class tokens of its "
    "trunk would be other numbers; extract with the authors' code and bring the feature files"
)


def _kaiko(size: str, file: str, model: str, width: int, **arguments: Any) -> Published:  # noqa: ANN401
    return Published(
        title=f"kaiko {size}",
        model=model,
        width=width,
        hub=f"{_KAIKO}{file}.pth",
        license=_KAIKO_NC,
        arguments=arguments,
        spacing_um=_ALL_POWERS,
        norm=_HALF,
    )


def _lunit(patch: int) -> Published:
    return Published(
        title=f"Lunit DINO ViT-S/{patch}",
        model=f"vit_small_patch{patch}_224",
        width=384,
        hub=f"{_LUNIT_AT}dino_vit_small_patch{patch}_ep200.torch",
        license=_LUNIT_NC,
        spacing_um=(0.25, 0.5),
        norm=_LUNIT,
    )


FIELD: dict[str, Published] = {
    "uni": Published(
        "UNI", "vit_large_patch16_224", 1024, "MahmoodLab/UNI", _NC_ND, {"init_values": 1e-5}
    ),
    "uni2-h": Published(
        title="UNI2-h",
        model="vit_giant_patch14_224",
        width=1536,
        hub="MahmoodLab/UNI2-h",
        license=_NC_ND,
        arguments={
            "depth": 24,
            "num_heads": 24,
            "embed_dim": 1536,
            "mlp_ratio": 2.66667 * 2,
            "init_values": 1e-5,
            "reg_tokens": 8,
            "no_embed_class": True,
            **_SWIGLU,
        },
    ),
    "conch": Published(
        title="CONCH",
        model="vit_base_patch16_224",
        width=512,
        hub="MahmoodLab/CONCH",
        license=_NC_ND,
        side_px=448,
        refused=_OWN_POOLER,
    ),
    "conch-v1.5": Published(
        title="CONCH v1.5",
        model="vit_large_patch16_224",
        width=768,
        hub="MahmoodLab/conchv1_5",
        license=_NC_ND,
        side_px=448,
        refused=_OWN_POOLER,
    ),
    "virchow": Published(
        title="Virchow",
        model="vit_huge_patch14_224",
        width=2560,
        hub="paige-ai/Virchow",
        license="Apache-2.0, access on request",
        arguments={"init_values": 1e-5, "mlp_ratio": 5.3375, **_SWIGLU},
        pool="cls+mean",
    ),
    "virchow2": Published(
        title="Virchow2",
        model="vit_huge_patch14_224",
        width=2560,
        hub="paige-ai/Virchow2",
        license=_NC_ND,
        arguments={"init_values": 1e-5, "mlp_ratio": 5.3375, "reg_tokens": 4, **_SWIGLU},
        pool="cls+mean",
        spacing_um=_ALL_POWERS,
    ),
    "prov-gigapath": Published(
        title="Prov-GigaPath, tile encoder",
        model="vit_giant_patch14_dinov2",
        width=1536,
        hub="prov-gigapath/prov-gigapath",
        license="Apache-2.0, access on request",
        arguments={"img_size": 224, "patch_size": 16},
    ),
    "h-optimus-0": Published(
        title="H-optimus-0",
        model="vit_giant_patch14_reg4_dinov2",
        width=1536,
        hub="bioptimus/H-optimus-0",
        license="Apache-2.0",
        arguments={"img_size": 224},
        norm=_OPTIMUS,
    ),
    "h-optimus-1": Published(
        title="H-optimus-1",
        model="vit_giant_patch14_reg4_dinov2",
        width=1536,
        hub="bioptimus/H-optimus-1",
        license=_NC_ND,
        arguments={"img_size": 224},
        norm=_OPTIMUS,
    ),
    "phikon": Published("Phikon", "vit_base_patch16_224", 768, "owkin/phikon", _OWKIN),
    "phikon-v2": Published(
        "Phikon-v2", "vit_large_patch16_224", 1024, "owkin/phikon-v2", _OWKIN, {"init_values": 1.0}
    ),
    "hibou-b": Published(
        title="Hibou-B",
        model="vit_base_patch14_reg4_dinov2",
        width=768,
        hub="histai/hibou-b",
        license="Apache-2.0",
        arguments={"img_size": 224, "mlp_ratio": 5.33334, **_SWIGLU},
        norm=_HIBOU,
    ),
    "hibou-l": Published(
        title="Hibou-L",
        model="vit_large_patch14_reg4_dinov2",
        width=1024,
        hub="histai/hibou-L",
        license="Apache-2.0, access on request",
        arguments={"img_size": 224, "mlp_ratio": 5.34375, **_SWIGLU},
        norm=_HIBOU,
    ),
    "kaiko-vit-s16": _kaiko("ViT-S/16", "vits16", "vit_small_patch16_224", 384),
    "kaiko-vit-s8": _kaiko("ViT-S/8", "vits8", "vit_small_patch8_224", 384),
    "kaiko-vit-b16": _kaiko("ViT-B/16", "vitb16", "vit_base_patch16_224", 768),
    "kaiko-vit-b8": _kaiko("ViT-B/8", "vitb8", "vit_base_patch8_224", 768),
    # trained on larger pictures: timm fits the places of its patches to 224 px
    "kaiko-vit-l14": _kaiko(
        "ViT-L/14", "vitl14", "vit_large_patch14_reg4_dinov2", 1024,
        img_size=518, dynamic_img_size=True,
    ),
    "lunit-vit-s16": _lunit(16),
    "lunit-vit-s8": _lunit(8),
    "ctranspath": Published(
        title="CTransPath",
        model="swin_tiny_patch4_window7_224",
        width=768,
        hub="",
        license="GPL-3.0",
        arguments={"embed_layer": "conv_stem"},
        pool="own",
        spacing_um=(),
    ),
    "midnight": Published(
        title="Midnight-12k",
        model="vit_giant_patch14_dinov2",
        width=3072,
        hub="kaiko-ai/midnight",
        license="MIT",
        arguments={"img_size": 224},
        pool="cls+mean",
        spacing_um=_ALL_POWERS,
        norm=_HALF,
    ),
}  # fmt: skip
"""Name in a recipe -> what it stands for; the file of weights is named by the recipe."""
