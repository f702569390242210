"""A head without disease, in Hounsfield units at any point: skin, skull, brain, ventricles."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32

from wholecase.phantoms.ct.waves import Waves, draw_waves

AIR, SKIN, FAT = -1000.0, 45.0, -90.0
TABLE, DIPLOE = 950.0, 550.0
"""Hard and spongy bone of the skull."""
CSF, FALX = 8.0, 52.0
SKIN_MM = 2.0
BASE_MM = -38.0
"""Height of the floor of the skull."""
Points = Float32[np.ndarray, "... 3"]
Values = Float[np.ndarray, "..."]


@dataclass(frozen=True)
class Head:
    """What one head is like. Points are mm to the left, to the back and upwards of its middle."""

    half_mm: Float32[np.ndarray, "4"]
    """From the middle to the skin: at the side, in front and behind, above, below."""
    scalp_mm: float
    skull_mm: float
    csf_mm: float
    """Of fluid between skull and brain: wider in the old."""
    ventricles: float
    """Size, 1 is usual."""
    grey: float
    white: float
    falx: float
    """HU of the falx: 52 or, with some calcium, more."""
    warp: Waves
    sulci: Waves
    texture: Waves
    turn: float
    """Of the head about its length, radians."""
    shift_mm: Float32[np.ndarray, "3"]

    def own(self, points: Points) -> Points:
        """Points of the scanner as points of the head, a little bent so that no two are alike."""
        x, y, z = np.moveaxis(points - self.shift_mm, -1, 0)
        cos, sin = np.float32(np.cos(self.turn)), np.float32(np.sin(self.turn))
        bend = self.warp.at(points)
        turned = np.stack([cos * x + sin * y + bend, cos * y - sin * x - bend, z], axis=-1)
        return np.asarray(turned, np.float32)

    def depth_mm(self, own: Points) -> Values:
        """How far below the skin, negative outside; exact near it, a bound in the middle."""
        x, y, z = np.moveaxis(own, -1, 0)
        side, front, above, below = self.half_mm
        scaled = np.stack([x / side, y / front, np.where(z > 0, z / above, z / below)], axis=-1)
        slopes = scaled / np.stack(
            [np.full_like(z, side), np.full_like(z, front), np.where(z > 0, above, below)], axis=-1
        )
        rho = np.maximum(np.linalg.norm(scaled, axis=-1), 1e-3)
        slope = np.maximum(np.linalg.norm(slopes, axis=-1) / rho, 1e-4)
        return np.asarray(np.minimum((1 - rho) / slope, 70), np.float32)

    def within_mm(self, own: Points) -> Values:
        """How far below the inside of the skull, negative outside of it."""
        return np.asarray(self.depth_mm(own) - self.scalp_mm - self.skull_mm, np.float32)

    def units(self, points: Points) -> Values:
        """Hounsfield units, without vessels, calcifications and lesions."""
        own = self.own(points)
        depth = self.depth_mm(own)
        inner = depth - self.scalp_mm - self.skull_mm
        layers = [
            (depth < 0, AIR),
            (depth < SKIN_MM, SKIN),
            (depth < self.scalp_mm, FAT),
        ]
        bone = np.abs(depth - self.scalp_mm - self.skull_mm / 2) < self.skull_mm / 6
        values = np.where(bone, DIPLOE, TABLE)
        values = np.where(inner > 0, self._brain(own, inner), values)
        for where, value in reversed(layers):
            values = np.where(where, value, values)
        return np.asarray(self._with_base(own, depth, values), np.float32)

    def is_parenchyma(self, points: Points) -> Bool[np.ndarray, "..."]:
        """Whether a lesion can have its middle there: well inside, and away from fluid."""
        own = self.own(points)
        x, _, z = np.moveaxis(own, -1, 0)
        free = (self._ventricles(own, 9.0) > 1) & (np.abs(x) > 9) & (z > BASE_MM + 14)
        return np.asarray(free & (self.within_mm(own) > 9 + self.csf_mm))

    def _brain(self, own: Points, inner: Values) -> Values:
        x, _, z = np.moveaxis(own, -1, 0)
        fold = np.abs(self.sulci.at(own)) + np.maximum(inner - 14, 0) * np.float32(0.06)
        cortex = (inner < self.csf_mm + 4) | (fold < 0.42) | self._nuclei(own)
        texture = self.texture.at(own)
        values = np.where(cortex, self.grey, self.white) + texture
        narrow = 0.08 + 0.03 * self.csf_mm
        fluid = (inner < self.csf_mm) | ((fold < narrow) & (z > BASE_MM + 6))
        middle = (np.abs(x) < 0.8 + 0.35 * self.csf_mm) & (inner < 42) & (z > -12)
        values = np.where(fluid | middle | (self._ventricles(own, 0.0) < 1), CSF, values)
        sheet = (np.abs(x) < 1.2) & (inner < 30) & (z > 2)
        return np.asarray(np.where(sheet, self.falx, values), np.float32)

    def _nuclei(self, own: Points) -> Bool[np.ndarray, "..."]:
        x, y, z = np.moveaxis(own, -1, 0)
        thalamus = ((np.abs(x) - 12) / 8) ** 2 + ((y - 6) / 13) ** 2 + ((z - 2) / 10) ** 2 < 1
        lentiform = ((np.abs(x) - 24) / 7) ** 2 + ((y + 8) / 16) ** 2 + ((z - 2) / 11) ** 2 < 1
        return np.asarray(thalamus | lentiform)

    def _ventricles(self, own: Points, margin_mm: float) -> Values:
        """Below 1 inside of the ventricles, each wider by a margin."""
        x, y, z = np.moveaxis(own, -1, 0)
        size, side = np.float32(self.ventricles), np.abs(x)
        # the lateral ones part backwards and arch upwards
        middle = 8 + np.maximum(y, 0) * 0.45
        arch = 16 - (y / 16) ** 2

        def ball(radii: tuple[float, float, float], *away: Values) -> Values:
            terms = [(d / (r * size + margin_mm)) ** 2 for d, r in zip(away, radii, strict=True)]
            return np.asarray(sum(terms), np.float32)

        lateral = ball((6.0, 36.0, 9.0), side - middle, y + 2, z - arch)
        third = ball((2.5, 14.0, 11.0), x, y - 2, z)
        fourth = ball((6.0, 6.0, 9.0), x, y - 36, z + 30)
        return np.asarray(np.minimum(np.minimum(lateral, third), fourth), np.float32)

    def _with_base(self, own: Points, depth: Values, values: Values) -> Values:
        """Bone of the floor of the skull, with air in the sinuses and behind the ears."""
        x, y, z = np.moveaxis(own, -1, 0)
        inside = depth > self.scalp_mm
        rough = 3 * self.texture.at(own * np.float32(0.4))
        front = inside & (y < -6) & (z + rough < BASE_MM)
        ridge = inside & (np.abs(y - 8 - 0.4 * np.abs(x)) < 9) & (z + rough < BASE_MM + 2)
        ridge &= np.abs(x) > 14
        values = np.where(front | ridge, 620, values)
        sinus = (x / 15) ** 2 + ((y + 52) / 22) ** 2 + ((z - BASE_MM + 12) / 13) ** 2 < 1
        high = (x / 13) ** 2 + ((y + self.half_mm[1] - 12) / 5) ** 2 + ((z + 20) / 13) ** 2 < 1
        cells = ridge & (rough > 1.5) & (np.abs(x) > 40)
        return np.where(inside & (sinus | high | cells), AIR, values)


def draw_head(rng: np.random.Generator) -> Head:
    """Somebody's head; the old have wider fluid, and more of it."""
    age = rng.uniform(0, 1)
    usual = np.array([75.0, 94.0, 88.0, 170.0])
    grey = rng.normal(37.0, 1.2)
    return Head(
        half_mm=(usual * rng.normal(1, 0.03, 4)).astype(np.float32),
        scalp_mm=float(rng.uniform(4.5, 7.5)),
        skull_mm=float(rng.uniform(5.0, 8.5)),
        csf_mm=float(0.8 + 2.6 * age),
        ventricles=float(0.75 + 0.5 * age + 0.1 * rng.normal()),
        grey=float(grey),
        white=float(grey - rng.uniform(6, 9)),
        falx=float(FALX + rng.choice([0, 0, 0, 40]) + rng.normal(0, 4)),
        warp=draw_waves(rng, 90.0),
        sulci=draw_waves(rng, 34.0, 8),
        texture=draw_waves(rng, 14.0, 8),
        turn=float(np.radians(rng.normal(0, 4))),
        shift_mm=rng.normal(0, 3, 3).astype(np.float32),
    )
