"""The rules of advice as a table in Markdown: docs/forecast.md has it. Free of torch."""

from __future__ import annotations

from engine.advice.rules import EFFECTS, RULES

HEAD = """| | rule | of | when | what it says | rests on |
|---|---|---|---|---|---|"""


def rules_table() -> str:
    """A row for each rule, in their order; numbers restart with every effect."""
    lines = [HEAD]
    for effect in reversed(EFFECTS):
        of_the_effect = [rule for rule in RULES if rule.effect == effect]
        for number, rule in enumerate(of_the_effect, start=1):
            kinds = ", ".join(f"`{kind}`" for kind in rule.kinds) or "all"
            said = rule.sentence.replace("{", "*").replace("}", "*")
            lines.append(
                f"| {effect} {number} | {rule.name} | {kinds} | {rule.when} | {said} "
                f"| {rule.source} |"
            )
    return "\n".join(lines)
