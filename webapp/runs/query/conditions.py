"""A query as a condition that Postgres filters runs by."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import (
    Case,
    Exists,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast
from django.db.models.lookups import (
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    IsNull,
    LessThan,
    LessThanOrEqual,
)
from django.utils import timezone

from webapp.experiments.models import Experiment
from webapp.runs.models import Run
from webapp.runs.query import values
from webapp.runs.query.errors import QueryError, one_of
from webapp.runs.query.fields import Field, fields, find_field
from webapp.runs.query.nodes import And, Comparison, Node, Not, Or, Word
from webapp.runs.table_models import KnownConfiguration, SpecValue, SummaryName

if TYPE_CHECKING:
    from webapp.accounts.models import User

_LARGEST_INTEGER = 2**31 - 1
_LOOKUPS: dict[str, tuple[str, type]] = {
    ":": ("exact", Exact),
    "=": ("exact", Exact),
    "<": ("lt", LessThan),
    "<=": ("lte", LessThanOrEqual),
    ">": ("gt", GreaterThan),
    ">=": ("gte", GreaterThanOrEqual),
}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def condition(node: Node, user: User, now: datetime | None = None) -> Q:
    """What `node` asks for, of `Run`; `user` is “me”. Raises `QueryError` where a field, a
    comparison or a value is not possible."""
    return _Compiler(user, now or timezone.now()).of(node)


def figure(name: str) -> Func:
    """A number of the run's summary; "nan" and "inf" there are Postgres' own."""
    place = SummaryName.objects.filter(name=name).values("pk")
    return Func(
        F("summary_values__values"),
        Subquery(place),
        template="(%(expressions)s])",
        arg_joiner="[",
        output_field=FloatField(),
    )


def has_value(path: str, **wanted: Any) -> Q:
    """Runs whose spec has, in the field `path`, a value that is as `wanted` of `SpecValue`.

    The values are looked up at once: of numbers that it sees, Postgres knows how many
    configurations have them, and so whether to begin there.
    """
    matching = SpecValue.objects.filter(path=path, **wanted)
    ids = list(matching.values_list("pk", flat=True))
    if not ids:
        return _always(False)
    configurations = KnownConfiguration.objects.filter(values__overlap=ids)
    return Q(configuration__in=configurations.values("digest"))


class _Compiler:
    def __init__(self, user: User, now: datetime) -> None:
        self.user, self.now = user, now

    def of(self, node: Node) -> Q:
        match node:
            case And(parts):
                return Q(*map(self.of, parts))
            case Or(parts):
                return reduce(or_, map(self.of, parts))
            case Not(of):
                return _negated(self.of(of))
            case Word(text):
                return _word(text)
            case Comparison():
                return self._comparison(node)

    def _comparison(self, node: Comparison) -> Q:
        field = find_field(node.field)
        if field is None:
            raise QueryError(
                f"there is no field “{node.field}”; {one_of(node.field, fields())}", node.column
            )
        if node.operator in _TURNED and not field.is_ordered:
            raise QueryError(
                f"{field.name} cannot be compared with {node.operator}; allowed: : = !=.",
                node.column,
            )
        if node.operator in _TURNED and len(node.values) > 1:
            raise QueryError(
                f"{node.operator} takes one value; {len(node.values)} were given.",
                node.column_of(1),
            )
        meaning: Callable[[Field, str, str], Q | str] = getattr(self, f"_{field.kind}")
        operator = ":" if node.operator == "!=" else node.operator
        parts = []
        for index, text in enumerate(node.values):
            part = meaning(field, operator, text)
            if isinstance(part, str):
                raise QueryError(
                    f"{field.name} cannot be “{text[:60]}”; {part}", node.column_of(index)
                )
            parts.append(part)
        any_of = reduce(or_, parts)
        return _negated(any_of) if node.operator == "!=" else any_of

    # One method a kind of field: the condition, or the words of what is allowed.

    def _choice(self, field: Field, operator: str, text: str) -> Q | str:
        found = text.lower().replace(" ", "_") if field.name == "status" else text.lower()
        allowed = (*field.choices(), *((values.NONE,) if field.name == "preset" else ()))
        if found not in allowed:
            return one_of(found, allowed)
        return Q(**{field.source: "" if found == values.NONE else found})

    def _text(self, field: Field, operator: str, text: str) -> Q | str:
        if text == values.NONE:
            return Q(**{field.source: ""})
        lookup = "iexact" if operator == "=" else "icontains"
        return Q(**{f"{field.source}__{lookup}": text})

    def _digest(self, field: Field, operator: str, text: str) -> Q | str:
        return Q(**{f"{field.source}__startswith": text})

    def _name(self, field: Field, operator: str, text: str) -> Q | str:
        lookup = "iexact" if operator == "=" else "icontains"
        experiments = Experiment.objects.filter(**{f"name__{lookup}": text})
        return Q(**{f"name__{lookup}": text}) | Q(experiment_id__in=experiments.values("pk"))

    def _person(self, field: Field, operator: str, text: str) -> Q | str:
        name = self.user.get_username() if text.lower() == "me" else text
        experiments = Experiment.objects.filter(owner__username__iexact=name)
        return Q(experiment_id__in=experiments.values("pk"))

    def _tag(self, field: Field, operator: str, text: str) -> Q | str:
        of_run = Run.tags.through.objects.filter(run_id=OuterRef("pk"))
        if text == values.NONE:
            return Q(~Exists(of_run))
        tagged = Run.tags.through.objects.filter(tag__name__iexact=text)
        return Q(pk__in=tagged.values("run_id"))

    def _number(self, field: Field, operator: str, text: str) -> Q | str:
        given = values.number(text)
        if given is None or given != given:
            return "allowed: a number"
        if abs(given) > _LARGEST_INTEGER:
            # Beyond what the column can hold, so the answer is the same for every run.
            beyond = {"<": given > 0, "<=": given > 0, ">": given < 0, ">=": given < 0}
            return _always(beyond.get(operator, False))
        return (
            Q(_compared(Cast(F(field.source), FloatField()), operator, given))
            if (given != int(given))
            else Q(**{f"{field.source}__{_LOOKUPS[operator][0]}": int(given)})
        )

    def _moment(self, field: Field, operator: str, text: str) -> Q | str:
        if text.lower() == values.NONE and operator in (":", "="):
            return Q(**{f"{field.source}__isnull": True})
        found = values.moments(text, self.now, timezone.get_current_timezone())
        if found is None:
            return "allowed: today, yesterday, 2026-11-24 or 2026-11-24T10:30"
        start, end = found
        source = field.source
        bounds: dict[str, dict[str, datetime]] = {
            "<": {f"{source}__lt": start},
            "<=": {f"{source}__lt": end},
            ">": {f"{source}__gte": end},
            ">=": {f"{source}__gte": start},
        }
        within = {f"{source}__gte": start, f"{source}__lt": end}
        return Q(**bounds.get(operator, within))

    def _age(self, field: Field, operator: str, text: str) -> Q | str:
        found = values.age(text)
        if found is None:
            return "allowed: a number with a unit: 30min, 12h, 7d or 2w"
        if operator not in _TURNED:
            return "compare it with <, <=, > or >="
        lookup = _LOOKUPS[_TURNED[operator]][0]
        return Q(**{f"{field.source}__{lookup}": self.now - found})

    def _archived(self, field: Field, operator: str, text: str) -> Q | str:
        found = text.lower()
        if found == "any":
            return _always(True)
        if found not in (*values.YES, *values.NO):
            return one_of(found, field.choices())
        return Q(**{f"{field.source}__isnull": found in values.NO})

    def _metric(self, field: Field, operator: str, text: str) -> Q | str:
        value = figure(field.source)
        if text.lower() == values.NONE and operator in (":", "="):
            return Q(IsNull(value, True))
        given = values.number(text, field.unit)
        if given is None:
            units = ", ".join(unit for unit in values.UNITS[field.unit] if unit)
            return f"allowed: a number{f' with one of the units {units}' if units else ''}, or none"
        if operator in (">", ">="):
            # To Postgres nan is larger than every number.
            return Q(_compared(value, operator, given), LessThan(value, float("nan")))
        return Q(_compared(value, operator, given))

    def _spec(self, field: Field, operator: str, text: str) -> Q | str:
        given = values.number(text)
        if operator in _TURNED:
            if given is None:
                return "allowed: a number"
            wanted = {f"number__{_LOOKUPS[operator][0]}": given}
        elif given is not None and given == given:
            wanted = {"number": given}
        else:
            word = text.lower()
            boolean = {**dict.fromkeys(values.YES, "yes"), **dict.fromkeys(values.NO, "no")}
            wanted = {"text__iexact": boolean.get(word, text)}
            if field.choices() and not field.is_number and not _is_known(field, word):
                return one_of(word, (*field.choices(), values.NONE))
        return has_value(field.source, **wanted)


def _is_known(field: Field, word: str) -> bool:
    allowed = {choice.lower() for choice in field.choices()}
    return word in (*allowed, values.NONE, *values.YES, *values.NO)


def _word(text: str) -> Q:
    experiments = Experiment.objects.filter(
        Q(name__icontains=text) | Q(owner__username__icontains=text)
    )
    in_experiments = Q(experiment_id__in=experiments.values("pk"))
    return Q(label__icontains=text) | Q(name__icontains=text) | in_experiments


def _compared(expression: Any, operator: str, value: float) -> Any:
    return _LOOKUPS[operator][1](expression, value)


def _negated(condition: Q) -> Q:
    """Everything else, also where `condition` compares with a value that a run does not have."""
    return Q(Exact(Case(When(condition, then=Value(True)), default=Value(False)), False))


def _always(answer: bool) -> Q:
    return Q(pk__isnull=not answer)
