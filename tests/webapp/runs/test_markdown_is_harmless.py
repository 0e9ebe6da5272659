"""What people write in notes does nothing in the browser of whoever reads it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.runs.markdown import _TAGS, to_html

ATTRIBUTES = {"a": {"href", "rel"}, "ol": {"start"}}
SCHEMES = {"http", "https", "mailto"}

CORPUS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<svg/onload=alert(1)>",
    "<img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onload=a>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\nscript:alert(1))",
    "[x](java&#10;script:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox(1))",
    "[x](file:///etc/passwd)",
    "[x](//evil.example)",
    "[x](\x01javascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "![x](javascript:alert(1))",
    "![x](http://evil.example/pixel.png)",
    "<javascript:alert(1)>",
    "[a]: javascript:alert(1)\n\n[a]",
    "[x](http://a.example 'onmouseover=alert(1)')",
    '[x](http://a.example" onmouseover="alert(1))',
    "`<img src=x onerror=alert(1)>`",
    '```"><script>alert(1)</script>\nx\n```',
    "<style>@import'//evil.example'</style>",
    "<math><mi xlink:href='javascript:alert(1)'>x</mi></math>",
    "<form action=//evil.example><input>",
    '<!--<img src="--><img src=x onerror=alert(1)//">',
    "<![CDATA[<script>alert(1)</script>]]>",
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<p style='x:expression(a)'>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <b onclick=a>x</b> |",
    "<details open ontoggle=a>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<object data=//evil.example>",
    "<template><script>alert(1)</script></template>",
    "<a\x00b>",
    "<h1 id=location>x</h1>",
    "<a name=csrfToken>x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
]
"""After OWASP's filter evasion sheet, DOMPurify's and markdown-it's tests."""


def scheme_of(address: str) -> str:
    """As browsers read it: control characters before it and line ends within it are nothing, and
    what has an escaped one (`java%0Ascript:`) is a path."""
    bare = re.sub(r"[\t\r\n]", "", address.lstrip("".join(map(chr, range(33)))))
    found = re.match(r"([a-z][a-z0-9+.-]*):", bare, re.IGNORECASE)
    return found[1].lower() if found else ""


def test_schemes_are_read_as_browsers_read_them():
    assert scheme_of("\x01 java\nscript:alert(1)") == "javascript"
    assert scheme_of("JavaScript:alert(1)") == "javascript"
    assert scheme_of("java%0Ascript:alert(1)") == scheme_of("/a:b") == scheme_of("#a:b") == ""


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.wrong.append(tag)
        for name, value in attributes:
            if name not in ATTRIBUTES.get(tag, set()):
                self.wrong.append(f"{tag} {name}")
            if name == "href" and scheme_of(value or "") not in {"", *SCHEMES}:
                self.wrong.append(f"{tag} {name}={value}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"declaration {decl}")


def harm_in(html: str) -> list[str]:
    seen = Seen()
    seen.feed(html)
    seen.close()
    return seen.wrong


@pytest.mark.parametrize("text", CORPUS)
def test_nothing_of_the_corpus_does_harm(text: str):
    assert harm_in(to_html(text)) == []


@given(st.lists(st.sampled_from(CORPUS) | st.text(max_size=8), max_size=4).map("".join))
def test_nothing_made_of_it_does(text: str):
    assert harm_in(to_html(text)) == []


@pytest.mark.parametrize(
    "html", ["<script>", "<a href='javascript:x'>", "<p onclick=a>", "<!--x-->"]
)
def test_the_check_sees_harm(html: str):
    assert harm_in(html)


def test_what_is_good_stays():
    assert '<a href="https://a.example" rel=' in to_html("[x](https://a.example)")
    assert "<strong>x</strong>" in to_html("**x**")
