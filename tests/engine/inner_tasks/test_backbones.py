"""Backbones: of the published sizes, with norms whose second derivatives are right."""

import pytest
import torch
import torch.nn.functional as F
from torch.func import grad, jvp, vjp

from engine.inner_tasks.backbones import EPSILON, Backbone, batch_normed, drawn_params
from engine.spec.inner_tasks.backbones import backbone_shapes, feature_count, parameter_count

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "filters", "expected"),
    [
        # Convolutions 9·3·32 + 3·9·32², norms 4·2·32; and so on for the others.
        ("conv4", 32, 28_768),
        ("conv4", 64, 112_832),
        ("resnet12", None, 7_996_800),
        ("wrn28", None, 36_472_784),
    ],
)
def test_parameters_of_the_published_architectures(name, filters, expected):
    assert parameter_count(backbone_shapes(name, filters=filters, channels=3)) == expected


def test_sizes_of_the_three_families():
    """conv4 with 32 filters lies below 10⁵ parameters and ResNet-12 below 10⁷; WRN-28-10 has
    36.5 million, which is below 4·10⁷."""
    count = {
        name: parameter_count(backbone_shapes(name, filters=None, channels=3))
        for name in ("conv4", "resnet12", "wrn28")
    }
    assert count["conv4"] < 1e5
    assert count["resnet12"] < 1e7
    assert count["wrn28"] < 4e7


def built(name: str, **options):
    shapes = backbone_shapes(name, filters=2, channels=1)
    params = drawn_params(shapes, 0, CPU, torch.float64)
    return Backbone(name, **options), params


@pytest.mark.parametrize("size", [28, 9, 4])
@pytest.mark.parametrize(
    ("name", "pooling"),
    [("conv4", "max"), ("conv4", "stride"), ("resnet12", "average"), ("wrn28", "max")],
)
def test_features_have_the_announced_length(name, pooling, size):
    backbone, params = built(name, pooling=pooling)
    inputs = torch.rand(5, 1, size, size, dtype=torch.float64)
    features = backbone.features(params, inputs, prefix="")
    announced = feature_count(name, filters=2, image_size=size, pooling=pooling)
    assert features.shape == (5, announced)
    assert features.isfinite().all()


def test_the_norm_is_that_of_the_batch():
    inputs = torch.randn(4, 3, 5, 5, dtype=torch.float64)
    scale, shift = torch.rand(2, 3, dtype=torch.float64)
    expected = F.batch_norm(inputs, None, None, scale, shift, training=True, eps=EPSILON)
    assert torch.allclose(batch_normed(inputs, scale, shift), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["conv4", "resnet12", "wrn28"])
def test_second_derivatives_in_every_order_match_finite_differences(name):
    backbone, params = built(name, activation="tanh", pooling="average")
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(3, 1, 8, 8, generator=generator, dtype=torch.float64)
    direction = {
        key: torch.randn(w.shape, generator=generator, dtype=w.dtype) for key, w in params.items()
    }

    def loss(params):
        return backbone.features(params, inputs, prefix="").square().sum()

    def along(distance):
        return {key: w + distance * direction[key] for key, w in params.items()}

    def flat(tree):
        return torch.cat([tree[key].flatten() for key in params])

    ahead, behind = flat(grad(loss)(along(1e-5))), flat(grad(loss)(along(-1e-5)))
    expected = (ahead - behind) / 2e-5
    products = {
        "reverse over reverse": vjp(grad(loss), params)[1](direction)[0],
        "forward over reverse": jvp(grad(loss), (params,), (direction,))[1],
        "reverse over forward": grad(lambda p: jvp(loss, (p,), (direction,))[1])(params),
    }
    for order, product in products.items():
        assert (flat(product) - expected).norm() < 1e-5 * expected.norm(), order
