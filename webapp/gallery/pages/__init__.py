"""The registry: one line a page, in the order of the lecture."""

from __future__ import annotations

from webapp.gallery.page import Page
from webapp.gallery.pages import (
    architecture,
    augmentation,
    distillation,
    elites,
    evolution_dimensions,
    forward,
    hyper_parameters,
    implicit,
    learners,
    optimizers,
    scale,
    truncation,
    which_estimator,
)

PAGES: tuple[Page, ...] = (
    scale.PAGE,
    learners.PAGE,
    truncation.PAGE,
    elites.PAGE,
    evolution_dimensions.PAGE,
    implicit.PAGE,
    forward.PAGE,
    hyper_parameters.PAGE,
    augmentation.PAGE,
    distillation.PAGE,
    optimizers.PAGE,
    architecture.PAGE,
    which_estimator.PAGE,
)

BY_SLUG = {page.slug: page for page in PAGES}
