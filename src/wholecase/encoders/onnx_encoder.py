"""A frozen network that an ONNX file holds, whatever made it."""

from pathlib import Path

from wholecase.encoders.encoder import Encoder


def onnx(*, weights: str, batch: int = 32, device: str = "cpu") -> Encoder:
    """The vectors that a graph gives, computed by onnxruntime on the CPU.

    The graph takes one input, float32 [N, 3, S, S], RGB of 0 to 1, for any N, and gives vectors
    float32 [N, D]. A sidecar beside the file may say otherwise: size, mean and deviation. A file
    of `wholecase features quantise` needs none; what it gave where it was made is in it, and is
    compared before it is used.

    Args:
        weights: the `.onnx` file, with all of its weights.
        batch: pictures at a time.
        device: the CPU.

    Raises:
        RecipeError: another device is asked for.
        WeightsError: the file is missing, damaged, no such graph, or gives other vectors on this
            processor than where it was made.
    """
    from wholecase.encoders.engines import check_engine
    from wholecase.encoders.graph_files import opened_graph
    from wholecase.encoders.network import Look, available, network_encoder
    from wholecase.encoders.trained import identity_of, look_of
    from wholecase.weights import weight_file

    check_engine("onnx", available(device))
    file = weight_file(Path(weights))
    graph, name = opened_graph(file.path)
    usual = Look(graph.side_px or 224, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    look = look_of(file.sidecar, usual)
    identity = identity_of(file.sidecar.name if file.sidecar else name, {}, look, file)
    return network_encoder(graph, look, identity=identity, batch=batch, device=device)
