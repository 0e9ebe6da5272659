"""The networks that few-shot learners share: names and shapes of their tensors, without torch.

Each begins with convolutions and ends in a vector of features; the head on top belongs to the
learner. Sizes without a head, for colour images:

    conv4        4 blocks of 32 filters       28,896 parameters      (Vinyals et al., 2016)
    conv4        4 blocks of 64 filters      112,832
    resnet12     64, 128, 256, 512 filters     8.0 M                 (Oreshkin et al., 2018)
    wrn28        160, 320, 640 filters        36.5 M    WRN-28-10    (Zagoruyko and Komodakis, 2016)
"""

from math import prod
from typing import Literal

from engine.spec.inner_tasks.inner_task import Shapes

BackboneName = Literal["conv4", "resnet12", "wrn28"]
Pooling = Literal["max", "average", "stride"]
FILTERS = {"conv4": 32, "resnet12": 64, "wrn28": 160}
"""Of the first block of each, where nothing else is asked for."""
BLOCKS = 4
"""Of conv4 and resnet12, each of which halves the image where it can."""
CONVOLUTIONS_A_BLOCK = 3
"""Of resnet12."""
GROUPS, BLOCKS_A_GROUP, STEM_FILTERS = 3, 4, 16
"""Of wrn28: 28 = 6 · 4 + 4 layers."""


def backbone_shapes(name: BackboneName, *, filters: int | None, channels: int) -> Shapes:
    """Name and shape of every tensor, in the order of the forward pass."""
    width = filters or FILTERS[name]
    return {"conv4": _conv4, "resnet12": _resnet12, "wrn28": _wrn28}[name](width, channels)


def feature_count(
    name: BackboneName, *, filters: int | None, image_size: int, pooling: Pooling
) -> int:
    """Entries of the vector of features for one image of `image_size` × `image_size`: conv4
    flattens its last map, the others average it."""
    width = filters or FILTERS[name]
    if name == "conv4":
        for _ in range(BLOCKS):
            image_size = (image_size + 1) // 2 if pooling == "stride" else max(1, image_size // 2)
        return width * image_size**2
    return width * 2 ** ((BLOCKS if name == "resnet12" else GROUPS) - 1)


def parameter_count(shapes: Shapes) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _conv4(width: int, channels: int) -> Shapes:
    shapes: Shapes = {}
    for block in range(BLOCKS):
        shapes |= _convolution(f"blocks.{block}.convolution", channels, width)
        shapes |= _norm(f"blocks.{block}.norm", width)
        channels = width
    return shapes


def _resnet12(width: int, channels: int) -> Shapes:
    shapes: Shapes = {}
    for block in range(BLOCKS):
        out, name = width * 2**block, f"blocks.{block}"
        fan_in = channels
        for layer in range(CONVOLUTIONS_A_BLOCK):
            shapes |= _convolution(f"{name}.convolutions.{layer}", fan_in, out)
            shapes |= _norm(f"{name}.norms.{layer}", out)
            fan_in = out
        shapes |= _convolution(f"{name}.shortcut", channels, out, side=1)
        shapes |= _norm(f"{name}.shortcut_norm", out)
        channels = out
    return shapes


def _wrn28(width: int, channels: int) -> Shapes:
    shapes = _convolution("stem", channels, STEM_FILTERS)
    channels = STEM_FILTERS
    for group in range(GROUPS):
        out = width * 2**group
        for block in range(BLOCKS_A_GROUP):
            name = f"groups.{group}.{block}"
            shapes |= _norm(f"{name}.norms.0", channels)
            shapes |= _convolution(f"{name}.convolutions.0", channels, out)
            shapes |= _norm(f"{name}.norms.1", out)
            shapes |= _convolution(f"{name}.convolutions.1", out, out)
            if block == 0:
                shapes |= _convolution(f"{name}.shortcut", channels, out, side=1)
            channels = out
    return shapes | _norm("norm", channels)


def _convolution(name: str, fan_in: int, fan_out: int, side: int = 3) -> Shapes:
    """Without a bias: the norm that follows would take it away again."""
    return {f"{name}.weight": (fan_out, fan_in, side, side)}


def _norm(name: str, channels: int) -> Shapes:
    return {f"{name}.scale": (channels,), f"{name}.shift": (channels,)}
