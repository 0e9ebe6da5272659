"""What the options of an installed package must be, so that the spec, the form and the list can
show them. Each check raises `TypeError` or `ValueError` with what is wrong."""

from __future__ import annotations

import re
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import PydanticUndefined

from engine.spec.estimator import Estimator, Need
from engine.spec.inner_tasks import InnerTask
from engine.spec.meta_parameters import MetaParameter
from engine.spec.meta_parameters.meta_parameter import Slot
from engine.spec.options import Options

KIND = re.compile(r"[a-z][a-z0-9_]*")
IMPLEMENTATION = re.compile(r"[\w.]+:[\w.]+")
PLAIN = (bool, int, float, str)


def check_inner_task(model: type, learnable: list[str]) -> None:
    """`learnable` are the kinds of meta-parameters that there are."""
    options = _checked(model, InnerTask)
    if not (model.has_inner_loss or model.reads):
        raise ValueError("it has no inner loss and reads no meta-parameter, so nothing can learn")
    if unknown := set(model.reads) - set(learnable):
        raise ValueError(f"it reads {', '.join(sorted(unknown))}; allowed: {', '.join(learnable)}")
    shapes = options.parameter_shapes()
    if not shapes or not all(
        isinstance(name, str) and isinstance(shape, tuple) and all(type(n) is int for n in shape)
        for name, shape in shapes.items()
    ):
        raise ValueError(f"parameter_shapes() is {shapes!r}; allowed: names with tuples of int")
    _check_values(options, {"differentiable": bool})


def check_meta_parameter(model: type) -> None:
    options = _checked(model, MetaParameter)
    slot = getattr(model, "slot", None)
    if slot not in get_args(Slot):
        raise ValueError(f"its slot is {slot!r}; allowed: {', '.join(get_args(Slot))}")
    if model.entries is MetaParameter.entries:
        raise TypeError("it has no method entries(experiment) that counts its scalars")
    flags = ("replaces", "of_the_task", "in_inner_loss")
    _check_values(options, dict.fromkeys(flags, bool) | {"outside_inner_loss": str})
    if not (options.in_inner_loss or options.outside_inner_loss):
        raise ValueError(
            "it is not in the inner loss, so its outside_inner_loss must say why it has no "
            "implicit gradient"
        )


def check_estimator(model: type) -> None:
    options = _checked(model, Estimator)
    flags = (
        "differentiates", "exact", "stochastic", "needs_stationary_point", "only_initialisation",
        "proposes", "partial", "needs_inner_gradient", "averages",
    )  # fmt: skip
    _check_values(options, dict.fromkeys(flags, bool) | {"label": str})
    if unknown := set(options.lengths) - set(model.model_fields):
        raise ValueError(f"its lengths name {', '.join(sorted(unknown))}, which is no field of it")
    if unknown := set(options.needs) - set(get_args(Need)):
        raise ValueError(
            f"it needs {', '.join(sorted(unknown))}; allowed: {', '.join(get_args(Need))}"
        )


def kind_of(model: type[Options]) -> str:
    """The one value that `kind` can have."""
    field = model.model_fields.get("kind")
    if field is None or field.annotation != Literal[field.default]:
        raise TypeError("it has no field of the form: kind: Literal['my_kind'] = 'my_kind'")
    return field.default


def _checked(model: Any, base: type[Options]) -> Any:
    """The options by default of a sound subclass of `base`."""
    if not (isinstance(model, type) and issubclass(model, base)):
        raise TypeError(f"not a subclass of {base.__module__}.{base.__name__}")
    _check_declarations(model)
    for name, info in model.model_fields.items():
        if info.default is PydanticUndefined and info.default_factory is None:
            raise ValueError(f"the field {name!r} has no default")
        if name != "kind" and not _has_a_control(info.annotation):
            raise TypeError(
                f"the field {name!r} is {info.annotation!r}; allowed: bool, int, float, str, a "
                "Literal of texts, each of them or None, and a list of int"
            )
    try:
        return model.model_validate(model().model_dump())
    except ValidationError as error:
        [first, *_] = error.errors()
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"its defaults are not valid: {where}: {first['msg']}") from None


def _check_declarations(model: type[Options]) -> None:
    if not KIND.fullmatch(kind_of(model)):
        raise ValueError(f"the kind {kind_of(model)!r} is not in lower_case_words")
    strict = {"strict": True, "extra": "forbid", "frozen": True}
    if loosened := [name for name, value in strict.items() if model.model_config[name] != value]:
        raise ValueError(f"its model_config loosens {', '.join(loosened)}")
    if not model.__doc__:
        raise ValueError("it has no docstring, which the form and the list show")
    for name in ("title", "implementation"):
        if not isinstance(getattr(model, name, None), str):
            raise TypeError(f"its {name} is not a text")
    if not IMPLEMENTATION.fullmatch(where := model.implementation):
        raise ValueError(f"its implementation {where!r} is not of the form package.module:Class")


def _check_values(options: Options, types: dict[str, type]) -> None:
    words = {bool: "True or False", str: "a text"}
    for name, kind in types.items():
        value = getattr(options, name)
        if not isinstance(value, kind):
            raise TypeError(f"its {name} is {value!r}; allowed: {words[kind]}")


def _has_a_control(annotation: Any) -> bool:
    """Whether the form can show a field of this type."""
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, UnionType):
        rest = [argument for argument in arguments if argument is not NoneType]
        return len(rest) == 1 and len(arguments) == 2 and _has_a_control(rest[0])
    if get_origin(annotation) is Literal:
        return all(isinstance(argument, str) for argument in arguments)
    if get_origin(annotation) is list:
        return (get_args(arguments[0]) or arguments)[0] is int
    return annotation in PLAIN
