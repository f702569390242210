"""Ask an exported patch model, with onnxruntime and numpy alone.

    pip install onnxruntime numpy
    python onnx_patch.py model.onnx [patches.npy]

`patches.npy` holds uint8 [N, side, side, 3] or [N, 3, side, side]; without it, noise is asked.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

model = Path(sys.argv[1])
facts = json.loads(
    model.with_name(model.name.replace(".int8", "")).with_suffix(".json").read_text()
)
_, channels, side, _ = facts["input"]["shape"]

if len(sys.argv) > 2:
    patches = np.load(sys.argv[2])
    if patches.shape[1] != channels:
        patches = patches.transpose(0, 3, 1, 2)
else:
    patches = np.random.default_rng(0).integers(0, 256, (4, channels, side, side), dtype=np.uint8)

session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
for begin in range(0, len(patches), 64):
    (rows,) = session.run(None, {"pixels": np.ascontiguousarray(patches[begin : begin + 64])})
    for number, row in enumerate(rows, begin):
        sure = facts["threshold"] is not None
        decided = int(row[1] > facts["threshold"]) if sure else int(row.argmax())
        shares = ", ".join(f"{name} {p:.3f}" for name, p in zip(facts["classes"], row, strict=True))
        print(f"{number}: {facts['classes'][decided]} ({shares})")
