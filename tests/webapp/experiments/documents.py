"""Random valid experiments, from the models themselves: a field that is added is tried at once."""

from __future__ import annotations

from typing import Any

from annotated_types import Ge, Gt, Le, Lt, MinLen, MultipleOf
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.spec import Experiment, SpecError, validate
from webapp.experiments.form.shapes import Shape, shapes_of

NAMES = st.text(
    st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1, max_size=40
)  # what an HTML text control can hold
SWEEPS = st.dictionaries(
    st.sampled_from(["outer.steps", "threads", "probes.every", "inner.optimizer.learning_rate"]),
    st.lists(st.one_of(st.integers(1, 200), st.floats(0.001, 5)), min_size=1, max_size=3),
    max_size=3,
)


MOST_MENDED = 30


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Full dumps of experiments; what is impossible beside the rest is left out."""
    return _model(Experiment).map(_mended).filter(bool)


def _mended(document: dict[str, Any]) -> dict[str, Any] | None:
    """Of a hundred that are drawn two are possible as they are."""
    for _ in range(MOST_MENDED):
        try:
            return validate(document).model_dump(mode="json")
        except SpecError as refusal:
            _leave_out(document, refusal.errors[0].path)
    return None


def _leave_out(document: dict[str, Any], path: str) -> None:
    """The field at `path`; where that is not written, or says what kind it is of, what it is of."""
    places: list[tuple[Any, Any]] = []
    here: Any = document
    for name in path.split("."):
        key = int(name) if isinstance(here, list) else name
        if key == "kind" or (not isinstance(here, list) and key not in here):
            break
        places.append((here, key))
        here = here[key]
    if places:
        holder, key = places[-1]
        del holder[key]


def _model(model: type[BaseModel]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            name: _field(name, model.model_fields[name], shape)
            for name, shape in shapes_of(model).items()
        }
    )


def _field(name: str, info: FieldInfo, shape: Shape) -> st.SearchStrategy[Any]:
    if name == "name":
        return NAMES
    if name == "seeds":
        return st.lists(st.integers(0, 2**31 - 1), min_size=1, max_size=3)
    if shape.control == "sweep":
        return SWEEPS
    if shape.control == "choice":
        return st.sampled_from(shape.choices)
    if shape.control == "switch":
        return st.booleans()
    members = st.one_of([_model(model) for model in shape.models]) if shape.models else st.nothing()
    if shape.control in ("group", "union"):
        return members
    if shape.control == "union_list":
        return st.lists(members, min_size=1, max_size=3)
    if shape.control == "integers":
        return st.lists(st.integers(1, 64), min_size=_of(info, MinLen, "min_length", 0), max_size=3)
    number = _integers(info) if shape.control == "integer" else _floats(info)
    return st.none() | number if shape.optional else number


def _integers(info: FieldInfo) -> st.SearchStrategy[int]:
    step = _of(info, MultipleOf, "multiple_of", 1)
    lowest = _of(info, Ge, "ge", 0)
    most = min(_of(info, Le, "le", 50), 50)
    return st.integers(-(-lowest // step), max(most // step, -(-lowest // step))).map(
        lambda count: count * step
    )


def _floats(info: FieldInfo) -> st.SearchStrategy[float]:
    above, below = _of(info, Gt, "gt", None), _of(info, Lt, "lt", None)
    return st.floats(
        _of(info, Ge, "ge", 0.0) if above is None else above,
        _of(info, Le, "le", 1.0) if below is None else below,
        exclude_min=above is not None,
        exclude_max=below is not None,
    )


def _of(info: FieldInfo, kind: type, name: str, otherwise: Any) -> Any:
    return next(
        (getattr(rule, name) for rule in info.metadata if isinstance(rule, kind)), otherwise
    )
