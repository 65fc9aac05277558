"""`sidelane guard`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane


@click.group("guard")
def command() -> None:
    """Show what the policies of the chart guard enforce, or print them as files for the API server."""


@command.command("status")
@click.option("-A", "--all-namespaces", is_flag=True, help="Show every namespace.")
@options.output
@running.reports_errors
@options.settings
def status(*, all_namespaces: bool, format_: str, settings: dict[str, Any]) -> None:
    """Show for the namespace what the guard enforces, what it does not, and why.

    GUARD is the effect on a forbidden request: deny, warn, audit or none. POLICIES is the number of policies in force.
    CLUSTER OBJECTS is the effect for objects of lanes without a namespace, in the whole cluster.
    """
    from sidelane.releases.guarding import POLICIES

    enforced = running.with_client(lambda client: client.guard_status(all_namespaces=all_namespaces), **settings)
    if format_ != "table":
        printing.data([guarding.to_json() for guarding in enforced], format_)
        return
    total = len(POLICIES)
    rows = [
        (
            each.namespace,
            each.mode,
            f"{len(each.policies)} of {total}" if each.known else f"unknown of {total}",
            each.cluster_objects if each.known else "unknown",
        )
        for each in enforced
    ]
    printing.table(("NAMESPACE", "GUARD", "POLICIES", "CLUSTER OBJECTS"), rows)
    for gap in dict.fromkeys(gap for each in enforced for gap in each.gaps):
        printing.say_line(f"  {gap}")


@command.command("manifests")
@options.lane(required=True)
@running.reports_errors
@options.values
@options.settings
def manifests(lane: Lane, *, values: dict[str, Any], settings: dict[str, Any]) -> None:
    """Print the policies and bindings as a file for an API server that reads policies from its disk.

    Kubernetes 1.36 reads them with the feature gate ManifestBasedAdmissionControlConfig, from the folder that
    staticManifestsDir of its AdmissionConfiguration names (KEP-5793). They can't be seen, changed or deleted through
    the API. The lane is the guard's own, such as guard-1. Values are those of the chart guard; its roles and accounts
    are not in the file.
    """
    from sidelane.kubeyaml.writer import dump
    from sidelane.releases.guarding import static_manifests

    text = running.with_client(lambda client: client.render("guard", lane, values=values), **settings)
    printing.as_it_is("".join(f"---\n{dump(body)}" for body in static_manifests(text)))


@command.command("role")
@click.argument("verb")
@click.argument("what", default="")
@options.lane(required=False)
@running.reports_errors
@options.given_chart
@options.settings
def role(verb: str, what: str, lane: Lane | None, *, given: dict[str, Any], settings: dict[str, Any]) -> None:
    """Print a Role with the least rights that VERB needs for WHAT.

    VERB is a verb of this command line that uses a cluster, with a hyphen for a space: apply, route-set. WHAT is a
    chart with its --lane, a deployment file (.yaml), or a bundle (.tar.gz). For the verbs of routes it is the chart
    `route`, with its values, such as --set mode=istio; a verb that only reads Helm's releases needs none.

    Rights on objects without a namespace are not in it, except for guard-status. Options that delete more than the verb
    alone, such as --atomic and --delete-claims, need more rights. Without the rights to list resource quotas and to get
    namespaces, a record has fewer facts about the cluster.
    """
    from sidelane.kubeyaml.writer import dump

    made = running.with_client(lambda client: client.guard_role(verb, what, lane, **given), **settings)
    printing.as_it_is(dump(made))
