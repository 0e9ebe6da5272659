"""A text as codes of its characters."""

from engine.data.text import characters


def test_characters_are_coded_in_the_order_of_their_code_points():
    text = characters("abracadabra ſ " * 10)
    assert text.alphabet == (" ", "a", "b", "c", "d", "r", "ſ")
    assert "".join(text.alphabet[code] for code in text.codes) == "abracadabra ſ " * 10
    assert [len(part) for part in (text.train, text.validation, text.test)] == [126, 7, 7]
    assert [*text.train, *text.validation, *text.test] == text.codes.tolist()
