"""What the builder's templates show: one draft, examined, with everything that is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.utils.functional import SimpleLazyObject

from engine.spec import FieldError, stored_to_yaml
from engine.spec.comments import Comments, commented
from webapp.compare.difference import Difference, differences
from webapp.experiments import preflights, saved_drafts
from webapp.experiments.draft import Draft, examine
from webapp.experiments.form import Form, build_form
from webapp.experiments.origins import Origin
from webapp.experiments.preflights import Verdict
from webapp.experiments.saved_drafts import OpenForm, Saving
from webapp.experiments.yaml_lines import LineError, at_lines, read_yaml
from webapp.forecasts import services as forecasts
from webapp.forecasts.outlook import Outlook
from webapp.forecasts.panel import Panel

if TYPE_CHECKING:
    from webapp.accounts.models import User


@dataclass(frozen=True)
class Page:
    origin: Origin
    draft: Draft
    form: Form
    verdicts: list[Verdict]
    """Of every estimator, in order; empty while the draft is no experiment."""
    outlook: Outlook
    opened: OpenForm
    saving: Saving = field(default_factory=Saving)
    yaml_ahead: str = ""
    """Text of the YAML tab that the form has not taken up, since it is no experiment."""
    comments: Comments = field(default_factory=Comments)
    """What somebody wrote beside the fields in the YAML tab."""
    insisted: bool = False
    priority: str = "normal"
    spread: str = "auto"

    @cached_property
    def panel(self) -> Panel:
        """Looked up once it is shown: the forecast worker answers meanwhile."""
        outlook = self.outlook
        if outlook.is_open:
            outlook = forecasts.waited_for(
                outlook.key, forecasts.FORM_SECONDS, enough=forecasts.has_answer
            )
        return Panel(outlook)

    @cached_property
    def changes(self) -> list[Difference]:
        if not self.draft.experiment:
            return []
        return differences([self.origin.document, self.draft.document], leave_out=())

    @cached_property
    def yaml(self) -> str:
        """The text of the YAML tab; a draft that is no experiment is written as it is."""
        return self.yaml_ahead or commented(stored_to_yaml(self.draft.document), self.comments)

    @cached_property
    def yaml_errors(self) -> list[LineError]:
        if self.yaml_ahead:
            return read_yaml(self.yaml_ahead)[1]
        return at_lines(self.yaml, self.draft.errors) if self.draft.errors else []

    @property
    def inner_steps(self) -> str:
        return f"{self.draft.inner_steps:,}"

    @property
    def meta_parameters(self) -> str:
        """dim θ, or its range where the sweep changes it."""
        counts = self.draft.meta_parameter_counts
        return " to ".join(f"{count:,}" for count in dict.fromkeys([counts[0], counts[-1]]))

    @property
    def errors(self) -> list[tuple[FieldError, str]]:
        return self.form.errors

    @property
    def is_untouched(self) -> bool:
        as_before = self.draft.document == self.origin.document
        return as_before and not self.yaml_ahead and not self.comments

    def context(self, **more: Any) -> dict[str, Any]:
        return {
            "page": self, "origin": self.origin, "draft": self.draft, "form": self.form,
            "panel": SimpleLazyObject(lambda: self.panel), "opened": self.opened,
            "insisted": self.insisted, **more,
        }  # fmt: skip


def page_of(
    origin: Origin,
    document: Any,
    opened: OpenForm,
    errors: Iterable[FieldError] = (),
    *,
    posted: Mapping[str, str] | None = None,
    asks: bool = True,
) -> Page:
    """The builder's page; where it `asks`, workers look for what is not known of the draft."""
    posted = posted or {}
    draft = examine(document, errors)
    verdicts: list[Verdict] = []
    outlook = forecasts.NOTHING
    if draft.experiment and asks:
        # Before the form is made: workers answer meanwhile.
        outlook = forecasts.ask(draft.experiment, opened.id)
        verdicts = preflights.ask(draft.experiment)
    elif draft.experiment:
        outlook = forecasts.look_up(draft.experiment)
        verdicts = preflights.look_up(draft.experiment)
    form = build_form(draft.document, draft.errors, origin.document)
    form.show_verdicts(verdicts)
    return Page(
        origin, draft, form, verdicts, outlook, opened,
        yaml_ahead=posted.get("_yaml", "") if posted.get("_ahead") == "yaml" else "",
        insisted=bool(posted.get("_insist")),
        priority=posted.get("_priority") or "normal",
        spread=posted.get("_spread") or "auto",
    )  # fmt: skip


def save(page: Page, user: User) -> Page:
    """`page` with what became of keeping it; a form that nobody has touched makes no draft."""
    saving = saved_drafts.save(
        owner=user,
        form=page.opened,
        document=page.draft.document,
        yaml=page.yaml_ahead,
        commented=page.yaml if page.comments else "",
        source=page.origin.source,
        source_key=page.origin.key,
        begin=not page.is_untouched,
    )
    return replace(page, saving=saving)
