"""`manage.py recompute_summaries`"""

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from webapp.runs.summaries import recompute_all


class Command(BaseCommand):
    help = (
        "Computes the summaries of all runs that have ended anew from their stored series, so that "
        "those of older versions have their best values too. May be interrupted and repeated."
    )

    def handle(self, **_: Any) -> None:
        with tqdm(unit=" runs", disable=None) as bar:

            def tell(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            outcome = recompute_all(tell)
        self.stdout.write(
            f"{outcome.runs:,} runs have ended; {outcome.changed:,} have another summary now."
        )
