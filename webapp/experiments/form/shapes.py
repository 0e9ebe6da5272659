"""What kind of control a field of the spec needs, read from its annotation and its constraints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.spec.estimator import Estimator
from engine.spec.inner_tasks import InnerTask
from engine.spec.meta_parameters import MetaParameter
from engine.spec.meta_parameters.meta_parameter import Slot

Control = Literal[
    "union", "union_list", "group", "choice", "switch", "integer", "number", "integers", "text",
    "sweep",
]  # fmt: skip
LEAVES = {"choice", "switch", "integer", "number", "integers", "text"}
PLAIN_TYPES: dict[type, Control] = {
    bool: "switch",
    int: "integer",
    float: "number",
    str: "text",
}


@dataclass(frozen=True)
class Shape:
    control: Control
    models: tuple[type[BaseModel], ...] = ()
    """The members of a tagged union, or the one model of a group."""
    choices: tuple[str, ...] = ()
    optional: bool = False

    @property
    def is_leaf(self) -> bool:
        return self.control in LEAVES


@cache
def shapes_of(model: type[BaseModel]) -> dict[str, Shape]:
    """The shape of every field of `model`, in the order of the spec."""
    return {name: _shape(name, info.annotation) for name, info in model.model_fields.items()}


def _shape(name: str, annotation: Any) -> Shape:
    arguments = get_args(annotation)
    optional = NoneType in arguments
    if optional:
        (annotation,) = (argument for argument in arguments if argument is not NoneType)
        arguments = get_args(annotation)
    origin = get_origin(annotation)
    models = models_in(annotation)
    if models:
        if origin is list:
            return Shape("union_list", models)
        return Shape("group" if models == (annotation,) else "union", models)
    if origin is Literal:
        return Shape("choice", choices=arguments, optional=optional)
    if origin is list:
        return Shape("integers")
    if origin is dict:
        return Shape("sweep")
    if annotation in PLAIN_TYPES:
        return Shape(PLAIN_TYPES[annotation], optional=optional)
    raise TypeError(f"the form has no control for the field {name!r} of type {annotation!r}")


def models_in(annotation: Any) -> tuple[type[BaseModel], ...]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for argument in get_args(annotation) for model in models_in(argument))


def kind_of(model: type[BaseModel]) -> str:
    return model.model_fields["kind"].default


def model_of_kind(models: tuple[type[BaseModel], ...], kind: Any) -> type[BaseModel] | None:
    return next((model for model in models if kind_of(model) == kind), None)


def title_of(model: type[BaseModel]) -> str:
    """The model's own title; a model without one is called by its kind."""
    return getattr(model, "title", "") or label_of(kind_of(model))


def group_of(model: type[BaseModel]) -> str:
    """The heading under which a kind is listed: its slot of f_LEARN, its family, or none."""
    if issubclass(model, MetaParameter):
        return label_of(model.slot)
    if issubclass(model, Estimator):
        return "Searches" if model.proposes else "Estimators of the meta-gradient"
    if issubclass(model, InnerTask):
        package, *_, module = model.__module__.split(".")
        return label_of(module) if package == "engine" else f"From the package {package}"
    return ""


def allowed_range(info: FieldInfo) -> str:
    """The field's constraints as a reader would say them: `1 to 100,000`, `above 0, to 1,000`.

    Of a list, the constraints of its items.
    """
    bounds = {
        name: getattr(item, name)
        for item in [*info.metadata, *_of_items(info.annotation)]
        for name in ("ge", "gt", "le", "lt", "multiple_of")
        if getattr(item, name, None) is not None
    }
    parts = []
    if "ge" in bounds and "le" in bounds:
        parts.append(f"{readable(bounds['ge'])} to {readable(bounds['le'])}")
    else:
        wordings = {"ge": "from {}", "gt": "above {}", "le": "to {}", "lt": "below {}"}
        parts += [text.format(readable(bounds[k])) for k, text in wordings.items() if k in bounds]
    if "multiple_of" in bounds:
        parts.append(f"multiples of {readable(bounds['multiple_of'])}")
    return ", ".join(parts)


def _of_items(annotation: Any) -> list[Any]:
    (item, *_) = get_args(annotation) or (None,)
    described = getattr(item, "__metadata__", ())
    return [rule for part in described for rule in getattr(part, "metadata", [])]


def readable(number: float) -> str:
    if abs(number) >= 1e10:
        return f"{number:.0e}".replace("e+0", "e").replace("e+", "e")
    return f"{number:,g}" if number != int(number) else f"{int(number):,}"


NAMES = {
    "cg": "conjugate gradients",
    "digits": "Digits (8 × 8)",
    "mnist1d": "MNIST-1D",
    "fashion_mnist": "Fashion-MNIST",
    "dejavu": "DejaVu letters",
    "omniglot": "Omniglot",
    "mini_imagenet": "mini-ImageNet",
    "cifar100": "CIFAR-100",
    "shakespeare": "Shakespeare",
    "austen": "Austen",
    "penn_treebank": "Penn Treebank",
    "last_k": "last K steps",
    "windows": "windows of K",
    "cpu": "CPU",
    "cuda": "CUDA",
    "relu": "ReLU",
    "gelu": "GELU",
    "sgd": "SGD",
    "meta_parameters": "meta-parameters",
    "meta_loss": "meta-loss",
    "meta_batch": "meta-batch",
    "inner": "inner loop",
    "outer": "outer loop",
    "hidden": "hidden layers",
    "every": "probe every",
    "beta1": "beta 1",
    "beta2": "beta 2",
}


def words(name: str) -> str:
    """A field's or an option's name as it is read aloud."""
    return NAMES.get(name) or re.sub(r"_", " ", name)


def label_of(name: str) -> str:
    text = words(name)
    return text[0].upper() + text[1:]


RARE = {
    "beta1", "beta2", "chunk", "chunk_bytes", "clip_norm", "decay", "entropy_bonus", "epsilon",
    "exponent_multiplier", "fitness_shaping", "image_size", "inner_loss_windows", "label_noise",
    "longest_window", "memory", "offload", "online", "oracle_precision", "pooling", "products",
    "program", "proximal", "quantile", "real_examples", "response_rate", "rotations",
    "save_gradients", "scale", "schedule", "segment", "slack", "smoothed_draws", "smoothing",
    "step_multiplier", "step_size", "temperature", "test", "test_episodes", "test_epochs",
    "test_learning_rate", "test_networks", "test_tasks", "test_ways", "threads", "together",
    "train_characters", "train_examples", "validation_examples", "validation_windows",
    "warm_start", "weight_decay",
}  # fmt: skip
"""Fields that most experiments leave as they are: shown under "more" until they differ."""

SLOTS = [label_of(slot) for slot in get_args(Slot)]
"""Headings of meta-parameters, in the order of f_LEARN's slots."""
