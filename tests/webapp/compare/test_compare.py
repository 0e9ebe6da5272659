"""Runs beside each other: how many, what differs, and the best in bold."""

import math
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from engine.spec import validate
from tests.webapp.factories import ids_of, launched, measured, person, signed_in
from webapp.accounts.models import User
from webapp.compare.difference import differences, telling_differences
from webapp.exports.metrics import TABLE_METRICS

NAN = math.nan


@pytest.fixture
def ada(db) -> User:
    return person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in(ada)


def many(owner: User, count: int) -> list[int]:
    made = launched(owner, estimators=[{"kind": "unrolled"}], seeds=list(range(count)))
    return ids_of(made)


def compared(client: Client, ids: list[int]):
    return client.get("/compare", {"runs": ",".join(map(str, ids))})


class _Cells(HTMLParser):
    """The cells of the summary table, a row each, and which of them are bold."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[tuple[str, bool]]] = []
        self.in_cell = self.in_table = self.bold = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.in_table = dict(attrs).get("class") == "summary-table"
        if not self.in_table:
            return
        if tag == "tr":
            self.rows.append([])
        if tag == "td":
            self.in_cell, self.bold = True, False
        self.bold |= tag == "strong"

    def handle_endtag(self, tag: str) -> None:
        self.in_cell &= tag != "td"

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.rows[-1].append((data, self.bold))


def cells(html: str) -> list[list[tuple[str, bool]]]:
    parser = _Cells()
    parser.feed(html)
    return [row for row in parser.rows if row]


# How many


@pytest.mark.parametrize("count", [2, 50])
def test_two_to_fifty_runs_are_compared_in_full(client: Client, ada: User, count: int) -> None:
    ids = many(ada, count)
    page = compared(client, ids)
    assert page.status_code == 200
    html = page.content.decode()
    assert f"{count} runs in 1 configuration;" in html
    assert f'data-runs="{",".join(map(str, ids))}"' in html
    assert len(re.findall(r'class="seed-bar"', html)) == count


def test_more_than_fifty_runs_are_envelopes(client: Client, ada: User) -> None:
    html = compared(client, many(ada, 51)).content.decode()
    assert "51 runs in 1 configuration; more than 50 runs are drawn as envelopes" in html
    assert "data-seed" not in html
    assert html.count('class="legend-name"') == 1


def test_page_and_api_hold_every_run_that_was_asked(client: Client, ada: User) -> None:
    ids = many(ada, 60)
    assert f'data-runs="{",".join(map(str, ids))}"' in compared(client, ids).content.decode()
    answer = client.get("/api/v1/compare", {"runs": ",".join(map(str, ids))}).json()
    assert [row["runs"] for row in answer["rows"]] == [ids]


def test_too_few_runs_are_told_so_and_stay_picked(client: Client, ada: User) -> None:
    page = compared(client, many(ada, 1))
    assert page.status_code == 400
    html = page.content.decode()
    assert "A comparison needs at least 2 runs; one was given. Pick another beside it." in html
    assert len(re.findall(r'name="runs"[^>]* checked', html)) == 1


def test_more_than_five_hundred_runs_are_refused(client: Client, ada: User) -> None:
    page = compared(client, list(range(1, 502)))
    assert page.status_code == 400
    sentence = "A comparison has at most 500 runs; 501 were given. Take some away."
    assert sentence in page.content.decode()


def test_the_same_run_twice_is_one_run(client: Client, ada: User) -> None:
    (only,) = many(ada, 1)
    assert compared(client, [only, only]).status_code == 400


def test_boxes_ticked_without_javascript_are_compared(client: Client, ada: User) -> None:
    one, two = many(ada, 2)
    assert client.get(f"/compare?runs={one}&runs={two}").status_code == 200


def test_without_runs_there_is_a_list_to_pick_from(client: Client, ada: User) -> None:
    assert "Nothing to compare yet" in client.get("/compare").content.decode()
    (only,) = many(ada, 1)
    page = client.get("/compare")
    assert page.status_code == 200
    assert f'value="{only}"' in page.content.decode()
    assert 'role="alert"' not in page.content.decode()


def test_what_is_not_a_run_is_told_apart_from_what_is_not_there(client: Client, ada: User) -> None:
    page = client.get("/compare?runs=1,<b>")
    assert page.status_code == 400
    assert "the numbers of runs, with commas between" in page.content.decode()
    assert "1,<b>" not in page.content.decode()
    assert compared(client, [*many(ada, 1), 123456789]).status_code == 404
    assert client.get("/compare/summary?runs=123456789").status_code == 404
    assert client.get("/compare/summary?runs=x").status_code == 400


def test_runs_of_everybody_can_be_compared(client: Client, ada: User) -> None:
    assert compared(client, many(ada, 1) + many(person("bob"), 1)).status_code == 200


def test_strangers_are_sent_to_the_sign_in_page(db) -> None:
    for path in ("/compare", "/compare?runs=1,2", "/compare/summary?runs=1,2"):
        assert Client().get(path).headers["Location"].startswith("/sign-in/")


def test_sixty_runs_need_the_queries_of_two(
    client: Client, ada: User, django_assert_num_queries
) -> None:
    ids = many(ada, 60)
    with django_assert_num_queries(count_of(client, ids[:2])):
        compared(client, ids)


def count_of(client: Client, ids: list[int]) -> int:
    with CaptureQueriesContext(connection) as queries:
        compared(client, ids)
    assert len(queries) <= 8
    return len(queries)


# What differs


def test_only_what_differs_is_listed() -> None:
    one = {"name": "a", "seeds": [0], "inner": {"steps": 10, "rate": 0.1}, "device": "cpu"}
    two = {"name": "b", "seeds": [1], "inner": {"steps": 20, "rate": 0.1}, "device": "cpu"}
    (found,) = differences([one, two])
    assert (found.path, found.values) == ("inner.steps", ("10", "20"))
    assert differences([one, one]) == []
    assert [item.path for item in differences([one, two], leave_out=())][:2] == ["name", "seeds"]
    swept = [{"sweep": {}}, {"sweep": {"inner.steps": [1, 2]}}]
    assert [item.path for item in differences(swept)] == ["sweep.inner.steps"]


def test_values_are_words_and_absence_is_a_dash() -> None:
    one = {"estimators": [{"kind": "unrolled", "offload": True}], "budget": {"seconds": None}}
    two = {"estimators": [{"kind": "truncated", "window": 3}], "budget": {"seconds": 2.5}}
    found = {item.path: item.values for item in differences([one, two])}
    assert found == {
        "estimator.kind": ("unrolled", "truncated"),
        "estimator.offload": ("yes", "–"),
        "estimator.window": ("–", "3"),
        "budget.seconds": ("none", "2.5"),
    }


def test_options_of_one_kind_alone_are_listed_where_somebody_chose_them() -> None:
    def run(**estimator: Any) -> dict[str, Any]:
        spec = {"objective": "average", "estimators": [estimator]}
        return validate(spec).model_dump(mode="json")

    one, two = run(kind="unrolled", storage="full"), run(kind="truncated", window=3)
    paths = {item.path for item in telling_differences([one, two])}
    assert paths == {"estimator.kind", "estimator.storage", "estimator.window"}
    assert "estimator.online" in {item.path for item in differences([one, two])}

    online = run(kind="truncated", window=3, mode="windows", online=True)
    found = {item.path: item.values for item in telling_differences([one, two, online])}
    assert found["estimator.online"] == ("–", "no", "yes")


def test_of_a_spec_that_is_none_any_more_every_field_is_listed() -> None:
    one = {"estimators": [{"kind": "unrolled"}], "inner_task": {"kind": "gone", "size": 3}}
    two = {"estimators": [{"kind": "unrolled"}], "inner_task": {"kind": "quadratic"}}
    paths = {item.path for item in telling_differences([one, two])}
    assert paths == {"inner_task.kind", "inner_task.size"}


def test_floats_that_differ_in_late_digits_differ() -> None:
    one, two = {"rate": 0.12345678}, {"rate": 0.12345679}
    assert [item.values for item in differences([one, two])] == [("0.12345678", "0.12345679")]


def test_the_page_lists_the_difference_and_nothing_else(client: Client, ada: User) -> None:
    made = launched(ada, seeds=[0])
    html = compared(client, [run.pk for run in made.runs.all()]).content.decode()
    table = html[html.index("difference-table") :]
    paths = re.findall(r"<code>([^<]+)</code>", table)
    assert {"estimator.kind", "estimator.window"} <= set(paths)
    assert all(path.startswith("estimator.") for path in paths)
    alone = compared(client, many(ada, 2)).content.decode()
    assert "What differs" not in alone


# The summary


def test_the_page_has_the_best_in_bold(client: Client, ada: User) -> None:
    made = launched(ada)
    for number, one in enumerate(made.runs.order_by("number")):
        values = {"meta_loss": 1.0 + number, "cosine": number / 4, "variance_relative": 0.0}
        measured(one, [values])
    ids = ids_of(made)
    for html in (
        compared(client, ids).content.decode(),
        client.get("/compare/summary", {"runs": ",".join(map(str, ids))}).content.decode(),
        client.get(f"/experiments/{made.pk}/").content.decode(),
    ):
        first, second = cells(html)
        names = list(TABLE_METRICS)
        loss, cosine, same = map(names.index, ("meta_loss", "cosine", "variance_relative"))
        assert (first[loss], second[loss]) == (("1.50 ± 0.50", True), ("3.50 ± 0.50", False))
        assert (first[cosine][1], second[cosine][1]) == (False, True)
        assert (first[same][1], second[same][1]) == (False, False)
        assert first[names.index("seconds")] == ("–", False)


def test_before_the_first_probe_there_is_nothing_to_say(client: Client, ada: User) -> None:
    html = compared(client, many(ada, 2)).content.decode()
    assert "The first probe fills this in" in html
