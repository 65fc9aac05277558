"""`sidelane explain`"""

from __future__ import annotations

import click

from sidelane.cli import options, printing, running


@click.command("explain")
@click.argument("rule", required=False)
@options.output
@running.reports_errors
def command(rule: str | None, *, format_: str) -> None:
    """Explain a rule of the check: what it requires and why, with a wrong and a right example.

    The rules of --side-by-side have examples of two releases. Without RULE, list all rules.
    """
    from sidelane.checks import explain

    if rule is not None:
        explained = explain.find(rule)
        if format_ == "table":
            printing.say(explain.text(explained))
        else:
            printing.data(explain.to_json(explained), format_)
    elif format_ == "table":
        printing.table(
            ("RULE", "SEVERITY", "REQUIREMENT"), [(each.id, each.severity, each.title) for each in explain.ALL]
        )
    else:
        printing.data([explain.to_json(each) for each in explain.ALL], format_)
