"""The table of runs: filters, sorting, pages and the address that holds them all."""

import re

import pytest
from django.test import Client

from tests.webapp.factories import launched, measured, person, signed_in
from webapp.accounts.models import User
from webapp.runs import services
from webapp.runs.columns import DEFAULT
from webapp.runs.models import Run, Status

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
FILTERED = "q=horizon<100+bias<1+OR+owner:ada+tag:none&task=quadratic"


@pytest.fixture
def ada() -> User:
    return person("ada")


@pytest.fixture
def client(ada: User) -> Client:
    return signed_in(ada)


@pytest.fixture
def lab(ada: User) -> list[Run]:
    """Ada's four runs of two estimators, and Bob's one run of a third, which is cancelled."""
    bob = person("bob")
    ours = launched(ada, name="bowl")
    theirs = launched(bob, name="cup", estimators=[{"kind": "evolution"}], seeds=[7])
    services.request_cancel(user=bob, run=theirs.runs.get())
    return [*ours.runs.order_by("number"), *theirs.runs.all()]


def rows(html: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'<tr id="run-(\d+)"', html)]


def shown(client: Client, query: str = "") -> list[int]:
    answer = client.get(f"/runs/?{query}")
    assert answer.status_code == 200
    return rows(answer.content.decode())


def ids(runs: list[Run]) -> list[int]:
    return [run.pk for run in runs]


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("q=CUP", [4]),
        ("q=truncated", [2, 3]),
        ("q=bowl+truncated", [2, 3]),
        ("q=bob", [4]),
        ("q=nothing+like+it", []),
        ("q=%25", []),
        ("status=cancelled", [4]),
        ("status=queued", [0, 1, 2, 3]),
        ("status=queued&status=cancelled", [0, 1, 2, 3, 4]),
        ("status=unheard-of", []),
        ("status=", [0, 1, 2, 3, 4]),
        ("estimator=unrolled", [0, 1]),
        ("estimator=unrolled&estimator=evolution", [0, 1, 4]),
        ("owner=ada", [0, 1, 2, 3]),
        ("owner=ad", []),
        ("owner=ada&estimator=truncated&q=bowl&status=queued", [2, 3]),
    ],
)
def test_filters_narrow_the_table(
    client: Client, lab: list[Run], query: str, which: list[int]
) -> None:
    assert sorted(shown(client, query)) == [lab[index].pk for index in which]


def test_one_experiment_can_be_looked_at(client: Client, lab: list[Run]) -> None:
    assert shown(client, f"experiment={lab[4].experiment_id}") == [lab[4].pk]
    page = client.get(f"/runs/?experiment={lab[4].experiment_id}").content.decode()
    assert f'name="experiment" value="{lab[4].experiment_id}"' in page
    assert shown(client, "experiment=999999999") == []


def test_the_newest_come_first_unless_asked_otherwise(client: Client, lab: list[Run]) -> None:
    assert shown(client) == ids(lab)[::-1]
    assert shown(client, "sort=created") == ids(lab)
    assert shown(client, "sort=no-such-column") == ids(lab)[::-1]


@pytest.mark.parametrize("name", ["meta_loss", "bias_relative", "cosine", "peak_bytes", "seconds"])
def test_figures_sort_both_ways_and_what_has_none_comes_last(
    client: Client, lab: list[Run], name: str
) -> None:
    for run, value in zip(lab[:3], (2.0, 10.0, -3.0), strict=True):
        measured(run, [{"meta_loss": 1.0, name: value}])
    first, second, third = ids(lab)[:3]
    rising, falling = shown(client, f"sort={name}"), shown(client, f"sort=-{name}")
    assert rising[:3] == [third, first, second]
    assert falling[:3] == [second, first, third]
    assert set(rising[3:]) == set(falling[3:]) == set(ids(lab)[3:])


def test_figures_that_are_not_finite_are_shown_and_sorted(client: Client, lab: list[Run]) -> None:
    for run, value in zip(lab[:3], (float("inf"), 1.0, float("nan")), strict=True):
        measured(run, [{"meta_loss": value}])
    first, second, third = ids(lab)[:3]
    assert shown(client, "sort=meta_loss")[:3] == [second, first, third]
    html = client.get("/runs/").content.decode()
    assert '<td class="numeric">∞</td>' in html
    assert '<td class="numeric">nan</td>' in html


def test_fields_of_the_spec_sort_as_numbers_and_as_words(client: Client, ada: User) -> None:
    estimators = [{"kind": "unrolled"}, *({"kind": "truncated", "window": w} for w in (2, 10, 5))]
    exact, two, ten, five = ids(
        list(launched(ada, estimators=estimators, seeds=[0]).runs.order_by("number"))
    )
    assert shown(client, "sort=estimator.window") == [two, five, ten, exact]
    assert shown(client, "sort=-estimator.window") == [ten, five, two, exact]
    assert shown(client, "sort=-estimator.kind") == [exact, five, ten, two]
    assert shown(client, "sort=estimator.window&q=window<6") == [two, five]
    assert shown(client, "sort=estimator.window&q=seed:9") == []


def test_groups_sort_by_fields_of_the_spec(client: Client, ada: User) -> None:
    estimators = [{"kind": "truncated", "window": window} for window in (5, 2, 10)]
    launched(ada, estimators=estimators, seeds=[0, 1])
    html = client.get("/runs/?group=configuration&columns=estimator.window&sort=-estimator.window")
    windows = re.findall(r'<td class="numeric">(\d+)</td>', html.content.decode())
    assert windows == ["10", "5", "2"]


@pytest.mark.parametrize("column", DEFAULT)
def test_every_header_sorts_and_a_second_click_turns_it_round(
    client: Client, lab: list[Run], column: str
) -> None:
    first = header(client.get("/runs/?q=bowl&sort=seed").content.decode(), column)
    assert first["sorted"] == "none"
    once = client.get("/runs/" + first["href"]).content.decode()
    again = header(once, column)
    assert again["sorted"] in ("ascending", "descending")
    twice = header(client.get("/runs/" + again["href"]).content.decode(), column)
    assert {again["sorted"], twice["sorted"]} == {"ascending", "descending"}
    assert "q=bowl" in twice["href"]
    assert len(rows(once)) == 4


def header(html: str, column: str) -> dict[str, str]:
    pattern = r'aria-sort="(\w+)"><a href="([^"]*[?;&]sort=-?{}(?:&[^"]*)?)"'.replace("{}", column)
    found = re.search(pattern, html)
    assert found is not None, column
    return {"sorted": found.group(1), "href": found.group(2).replace("&amp;", "&")}


def test_pages_follow_each_other_and_keep_the_filters(client: Client, ada: User) -> None:
    made = launched(ada, estimators=[{"kind": "unrolled"}], seeds=list(range(60)))
    launched(ada, estimators=[{"kind": "evolution"}], seeds=[0])
    expected = list(made.runs.order_by("seed").values_list("pk", flat=True))
    found: list[int] = []
    query, pages = "?estimator=unrolled&sort=seed", 0
    while query:
        html = client.get(f"/runs/{query}").content.decode()
        assert f"{len(found) + 1}–" in html
        assert "of 60</span>" in html
        found += rows(html)
        pages += 1
        following = re.search(r'href="(\?[^"]*)" rel="next"', html)
        query = following.group(1).replace("&amp;", "&") if following else ""
    assert (found, pages) == (expected, 3)
    assert shown(client, "estimator=unrolled&sort=seed&page=99") == expected[50:]
    assert shown(client, "estimator=unrolled&sort=seed&page=2&size=50") == expected[50:]
    assert shown(client, "estimator=unrolled&sort=seed&page=x&size=-7") == expected[:25]
    # Whoever picks all on a page is told how many there are on all of them.
    address = "/runs/?estimator=unrolled&size="
    said = f'data-matching="{len(expected)} runs"'
    assert said in client.get(f"{address}50").content.decode()
    assert "data-matching" not in client.get(f"{address}200").content.decode()
    back = client.get("/runs/?estimator=unrolled&sort=seed&page=2").content.decode()
    assert 'rel="prev"' in back


def test_the_address_fills_the_form(client: Client, lab: list[Run]) -> None:
    query = "q=bo%22wl&status=queued&estimator=truncated&owner=ada&sort=-cosine"
    html = client.get(f"/runs/?{query}").content.decode()
    assert 'name="q" value="bo&quot;wl"' in html
    for value in ("queued", "truncated", "ada"):
        assert f'<option value="{value}" selected>' in html
    assert 'name="sort" value="-cosine"' in html
    assert html.count(" selected>") == 3


def test_htmx_gets_the_table_alone(client: Client, lab: list[Run]) -> None:
    whole = client.get("/runs/?q=cup").content.decode()
    part = client.get("/runs/?q=cup", headers=HTMX).content.decode()
    assert whole.startswith("<!doctype html>")
    assert part.lstrip().startswith('<div id="runs-table"')
    assert "<html" not in part
    assert rows(part) == rows(whole) == [lab[4].pk]
    assert 'id="filters"' not in part


def test_nothing_found_and_an_empty_lab_are_told_apart(client: Client, ada: User) -> None:
    assert "No run yet" in client.get("/runs/").content.decode()
    launched(ada)
    html = client.get("/runs/?q=zzz").content.decode()
    assert "No run matches" in html
    assert "No run yet" not in html


def test_rows_are_given_one_by_one_for_a_page_that_is_followed(
    client: Client, lab: list[Run]
) -> None:
    measured(lab[0], [{"meta_loss": 0.125}])
    answer = client.get(f"/runs/rows/?runs={lab[0].pk},{lab[4].pk},123456789")
    html = answer.content.decode()
    assert set(rows(html)) == {lab[0].pk, lab[4].pk}
    assert '<td class="numeric">0.125</td>' in html
    assert html.count("data-ended") == 1
    assert client.get("/runs/rows/?runs=x").status_code == 400


def test_names_are_text_and_not_markup(client: Client, ada: User) -> None:
    launched(ada, name="<script>alert(1)</script>")
    html = client.get("/runs/?q=%22%3Cscript%3E%22").content.decode()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html


def test_a_longer_table_needs_no_more_queries(
    client: Client, ada: User, django_assert_max_num_queries
) -> None:
    launched(ada, seeds=[0])
    for seeds in ([1], list(range(2, 40))):
        launched(ada, seeds=seeds)
        # Session and user, their columns; what is found, the page's runs, and their tags.
        with django_assert_max_num_queries(6):
            client.get("/runs/?size=100", headers=HTMX)
        # Owners, tags and views too, and what runs for the strip.
        with django_assert_max_num_queries(12):
            client.get("/runs/?size=100")
        with django_assert_max_num_queries(12):
            client.get(f"/runs/?group=configuration&{FILTERED}&columns=run,inner.steps,meta_loss")


def test_a_table_goes_through_so_many_runs_and_says_that_there_are_more(
    client: Client, lab: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.runs.table.MOST_LISTED", 3)
    assert "1–3 of 3+</span>" in client.get("/runs/").content.decode()
    assert "1–1 of 1</span>" in client.get("/runs/?q=cup").content.decode()
    assert "1–3 of 3</span>" in client.get("/runs/?group=configuration").content.decode()


def test_strangers_are_sent_to_the_sign_in_page(lab: list[Run]) -> None:
    for path in ("/runs/", f"/runs/rows/?runs={lab[0].pk}", f"/runs/{lab[0].pk}/"):
        assert Client().get(path).headers["Location"].startswith("/sign-in/")


def test_every_status_can_be_filtered_by(client: Client, lab: list[Run]) -> None:
    html = client.get("/runs/").content.decode()
    for value, title in Status.choices:
        assert f'<option value="{value}">{title}</option>' in html
