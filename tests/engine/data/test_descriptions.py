"""The text that needs no download."""

from engine.data import available, fetch, load_text
from engine.data.descriptions import BLOCK


def test_it_is_english_in_three_parts_of_whole_blocks() -> None:
    text = load_text("descriptions")
    parts = (text.train, text.validation, text.test)
    lengths = [len(part) for part in parts]
    assert sum(lengths) == len(text.codes) > 30_000
    assert all(length % BLOCK == 0 for length in lengths)
    assert len(text.alphabet) == len(set(text.alphabet)) == 27
    for part in parts:
        said = "".join(text.alphabet[code] for code in part)
        assert " the " in said
        assert "data" in said


def test_there_is_nothing_to_fetch() -> None:
    assert available("descriptions")
    assert "nothing to fetch" in fetch("descriptions")
