"""The grammar of queries. Side by side means AND, which binds stronger than OR."""

from __future__ import annotations

import re
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, v_args

from webapp.runs.query.errors import QueryError
from webapp.runs.query.nodes import Comparison, Node, Not, Word, both, either, leaves

LONGEST = 1000
"""Characters of a query."""
MOST_VALUES = 60
"""Words and values of a query: each may be a look-up of its own."""
DEEPEST = 40
"""Parentheses and NOTs of a query: each may be a level of the tree."""

_GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction (_OR conjunction)*   -> either
?conjunction: negation (_AND? negation)*       -> both
?negation: _NOT negation                       -> negated
         | "(" disjunction ")"
         | FIELD OPERATOR value ("," value)*   -> comparison
         | (WORD | QUOTED)                     -> word
value: VALUE | QUOTED

_AND.3: /and(?=[\s()"]|$)/i
_OR.3: /or(?=[\s()"]|$)/i
_NOT.3: /not(?=[\s()"]|$)/i
FIELD.2: /[A-Za-z_][\w.\-\[\]]*(?=\s*(:|=|!=|<|>))/
OPERATOR: /<=|>=|!=|[:=<>]/
VALUE: /[^\s()",:<>=!][^\s()",]*/
WORD: /(?!(?:and|or|not)(?=[\s()"]|$))[^\s()":<>=!,]+/i
QUOTED: /"(\\.|[^"\\])*"/s
%ignore /\s+/
"""

_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")
"""What Postgres has no text for."""

_EXPECTED = {
    "VALUE": "a value",
    "OPERATOR": "a comparison (: = != < <= > >=)",
    "FIELD": "a field",
    "WORD": "a word",
    "LPAR": "“(”",
    "RPAR": "“)”",
    "_AND": "AND",
    "_OR": "OR",
    "$END": "the end",
}
"""How the expected pieces are called, in the order in which they are named."""


@v_args(inline=True)
class _Tree(Transformer[Token, Any]):
    both = staticmethod(both)
    either = staticmethod(either)
    negated = Not

    def word(self, token: Token) -> Word:
        return Word(_plain(token))

    def value(self, token: Token) -> Token:
        return token

    def comparison(self, name: Token, operator: Token, *values: Token) -> Comparison:
        return Comparison(
            field=str(name),
            operator=str(operator),  # type: ignore[arg-type]
            values=tuple(map(_plain, values)),
            column=name.column or 1,
            value_columns=tuple(value.column or 1 for value in values),
        )


_PARSER = Lark(_GRAMMAR, parser="lalr", lexer="contextual", transformer=_Tree())


def parse(text: str) -> Node | None:
    """The tree of `text`, None where it says nothing; raises `QueryError`."""
    # A line of its own for each row would give columns that start anew.
    text = re.sub(r"\s", " ", text)
    if len(text) > LONGEST:
        raise QueryError(
            f"the query has {len(text):,} characters; at most {LONGEST:,} are read.", LONGEST + 1
        )
    if found := _IMPOSSIBLE.search(text):
        raise QueryError("this character is not possible.", found.start() + 1)
    levels = [match.start() for match in re.finditer(r"\(|\bnot\b", text, re.IGNORECASE)]
    if len(levels) > DEEPEST:
        raise QueryError(
            f"more than {DEEPEST} parentheses and NOTs; say it in fewer.", levels[DEEPEST] + 1
        )
    if not text.strip():
        return None
    try:
        tree: Node = _PARSER.parse(text)
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    count = sum(len(leaf.values) if isinstance(leaf, Comparison) else 1 for leaf in leaves(tree))
    if count > MOST_VALUES:
        raise QueryError(f"{count} words and values; at most {MOST_VALUES} are looked for", 1)
    return tree


def _plain(token: Token) -> str:
    if token.type != "QUOTED":
        return str(token)
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)


def _explained(error: UnexpectedInput, text: str) -> QueryError:
    at_end = not isinstance(error, UnexpectedCharacters) and error.token.type == "$END"
    column = len(text.rstrip()) + 1 if at_end else error.column
    here = text[column - 1 : column + 11].split(" ")[0]
    if here.startswith('"') and '"' not in here[1:]:
        return QueryError("this quotation mark has no second one.", column)
    allowed = error.allowed if isinstance(error, UnexpectedCharacters) else error.accepts
    wanted = [words for name, words in _EXPECTED.items() if name in (allowed or ())]
    given = "the query ends here" if at_end else f"“{here}” is not possible here"
    return QueryError(f"{given}; expected: {', '.join(wanted)}.", column)
