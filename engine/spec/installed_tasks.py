"""The inner tasks that a spec can name: the lab's own, and those of installed packages.

A package adds one by an entry point in the group `metaopt_lab.inner_tasks` that names a subclass
of `engine.spec.inner_tasks.InnerTask`: see `engine.inner_tasks` for how to write it. What is not
as it should be is left out with a warning that says why, so that one broken package does not take
the lab down.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import Field, ValidationError
from pydantic_core import PydanticUndefined

from engine.spec.inner_tasks import BUILT_IN, InnerTask
from engine.spec.meta_parameters import AnyMetaParameter
from engine.spec.options import Options

GROUP = "metaopt_lab.inner_tasks"
KIND = re.compile(r"[a-z][a-z0-9_]*")
IMPLEMENTATION = re.compile(r"[\w.]+:[\w.]+")
PLAIN = (bool, int, float, str)


def with_plug_ins(
    known: Iterable[type[InnerTask]], found: Iterable[EntryPoint]
) -> dict[str, type[InnerTask]]:
    """Kind to options model: `known`, and after them each of `found` that is sound and new."""
    tasks = {_kind_of(model): model for model in known}
    for point in sorted(found, key=lambda point: (point.name, point.value)):
        try:
            model = _loaded(point)
            kind = _kind_of(model)
            if kind in tasks:
                raise ValueError(f"the kind {kind!r} is taken by {tasks[kind].__module__}")
        except Exception as error:
            reason = str(error) or type(error).__name__
            warnings.warn(
                f"the inner task {point.name!r} ({point.value}) is left out: {reason}",
                RuntimeWarning,
                stacklevel=2,
            )
        else:
            tasks[kind] = model
    return tasks


def _loaded(point: EntryPoint) -> type[InnerTask]:
    """The options model that `point` names; an exception that says what is wrong with it."""
    had_torch = "torch" in sys.modules
    model = point.load()
    if "torch" in sys.modules and not had_torch:
        raise ValueError("its options import torch; only its implementation may")
    if not (isinstance(model, type) and issubclass(model, InnerTask)):
        raise TypeError("not a subclass of engine.spec.inner_tasks.InnerTask")
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
        options = model.model_validate(model().model_dump())
    except ValidationError as error:
        [first, *_] = error.errors()
        where = ".".join(map(str, first["loc"]))
        raise ValueError(f"its defaults are not valid: {where}: {first['msg']}") from None
    _check_shapes(options)
    return model


def _check_declarations(model: type[InnerTask]) -> None:
    if not KIND.fullmatch(_kind_of(model)):
        raise ValueError(f"the kind {_kind_of(model)!r} is not in lower_case_words")
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
    if not (model.has_inner_loss or model.reads):
        raise ValueError("it has no inner loss and reads no meta-parameter, so nothing can learn")
    learnable = [_kind_of(item) for item in get_args(get_args(AnyMetaParameter)[0])]
    if unknown := set(model.reads) - set(learnable):
        raise ValueError(f"it reads {', '.join(sorted(unknown))}; allowed: {', '.join(learnable)}")


def _check_shapes(options: InnerTask) -> None:
    shapes = options.parameter_shapes()
    if not shapes or not all(
        isinstance(name, str) and isinstance(shape, tuple) and all(type(n) is int for n in shape)
        for name, shape in shapes.items()
    ):
        raise ValueError(f"parameter_shapes() is {shapes!r}; allowed: names with tuples of int")
    if not isinstance(options.differentiable, bool):
        raise TypeError(f"differentiable is {options.differentiable!r}; allowed: True or False")


def _kind_of(model: type[Options]) -> str:
    """The one value that `kind` can have."""
    field = model.model_fields.get("kind")
    if field is None or field.annotation != Literal[field.default]:
        raise TypeError("it has no field of the form: kind: Literal['my_task'] = 'my_task'")
    return field.default


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


INNER_TASKS = with_plug_ins(BUILT_IN, entry_points(group=GROUP))
"""Options model of every inner task, by its kind."""

AnyInnerTask = Annotated[Union[tuple(INNER_TASKS.values())], Field(discriminator="kind")]  # noqa: UP007
