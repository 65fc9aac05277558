"""Options that commands share, with Helm's names and meanings.

A command receives options that belong together as one argument: `settings` of the client, `values`, `given` of a chart
and its release, `rendering`, `patience` and `bringing`. Each is a mapping of keyword arguments for the SDK.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sidelane.errors import InvalidInput, InvalidLane
from sidelane.naming.lane import Lane

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[Any], Any]


class LaneType(click.ParamType[Lane]):
    """A lane on the command line."""

    name = "lane"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Lane:
        if isinstance(value, Lane):
            return value
        try:
            return Lane.parse(value)
        except InvalidLane as error:
            self.fail(str(error), param, ctx)


def together(argument: str, collect: Callable[..., Any], **parts: Option) -> Option:
    """Returns a decorator that adds the options, and passes what ``collect`` returns to the command as one argument."""

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            kwargs[argument] = collect(**{name: kwargs.pop(name) for name in parts})
            return function(*args, **kwargs)

        for option in reversed(parts.values()):
            call = option(call)
        return call  # type: ignore[return-value]

    return decorate


def _charts(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Completes a chart: the charts of Sidelane, and otherwise files."""
    from click.shell_completion import CompletionItem

    from sidelane.charts.sources import bundled

    names = [CompletionItem(chart.name, help=chart.description) for chart in bundled()]
    return [name for name in names if name.value.startswith(incomplete)] or [CompletionItem(incomplete, type="file")]


chart = click.argument("chart", shell_complete=_charts)


def lane(*, required: bool) -> Option:
    return click.option(
        "--lane",
        type=LaneType(),
        envvar="SIDELANE_LANE",
        show_envvar=True,
        required=required,
        metavar="VERSION-BUILD",
        help="The lane, such as 2-coco-1.",
    )


lane_parts = together(
    "lane_parts",
    dict,
    version=click.option("--lane-version", "version", metavar="VERSION", help="A Version that replaces the file's."),
    build=click.option("--build", metavar="BUILD", help="A Build that replaces the file's."),
)


def deployment(function: F) -> F:
    """Adds the argument FILE of a deployment file, and the option for the number of parallel releases."""
    function = click.option(
        "--parallel", type=click.IntRange(min=1), metavar="N", help="Releases at a time. [default: 2 per processor]"
    )(function)
    return click.argument("file", type=click.Path(dir_okay=False))(function)


reset_operational = click.option(
    "--reset-operational",
    is_flag=True,
    help="Reset operational values that are not in the file to the chart's defaults.",
)


def given(name: str, settings: dict[str, Any]) -> Any:
    """Returns a setting from the command line, None for one from the environment: the command line overrides a file,
    and a file overrides the environment.
    """
    source = click.get_current_context().get_parameter_source(name)
    return settings[name] if source is click.core.ParameterSource.COMMANDLINE else None


output = click.option(
    "-o",
    "--output",
    "format_",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    show_default=True,
    help="The output's format.",
)

_SETTINGS: dict[str, Option] = {
    "namespace": click.option("-n", "--namespace", metavar="NAME", envvar="HELM_NAMESPACE", help="The namespace."),
    "directory": click.option(
        "--directory",
        type=click.Path(file_okay=False),
        envvar="SIDELANE_DIRECTORY",
        show_envvar=True,
        help="Keep releases in this directory of manifests, and use no cluster.",
    ),
    "kubeconfig": click.option("--kubeconfig", type=click.Path(dir_okay=False), help="Path of the kubeconfig file."),
    "kube_context": click.option("--kube-context", metavar="NAME", help="The kubeconfig's context to use."),
    "kube_apiserver": click.option("--kube-apiserver", metavar="URL", help="Address and port of the API server."),
}

settings = together("settings", dict, **_SETTINGS)

#: The same for a command that writes.
writing_settings = together(
    "settings",
    dict,
    allow_secrets=click.option("--allow-secrets", is_flag=True, help="Write rendered Secrets into the directory too."),
    **_SETTINGS,
)

delete_cluster_objects = click.option(
    "--delete-cluster-objects",
    is_flag=True,
    help="Delete cluster-scoped objects too, and with a CustomResourceDefinition all objects of its kind.",
)

#: The most bytes of a PEM key file; real keys are smaller.
KEY_LIMIT = 64 * 1024


def content(path: str, limit: int) -> bytes:
    """Reads an untrusted file, at most one byte more than the limit."""
    from sidelane.support import files

    try:
        return files.bounded(path, limit)
    except (OSError, ValueError) as error:
        raise InvalidInput.unreadable(path, error) from None


#: The parameters of a command that hold values.
VALUES = ("value_files", "set_values", "set_string", "set_file", "set_json")


def values_of(
    value_files: tuple[str, ...],
    set_values: tuple[str, ...],
    set_string: tuple[str, ...],
    set_file: tuple[str, ...],
    set_json: tuple[str, ...],
) -> dict[str, Any]:
    """Returns the values from a command's options."""
    if not any((value_files, set_values, set_string, set_file, set_json)):
        return {}
    from sidelane.charts.flags import gather

    return gather(value_files, set=set_values, set_string=set_string, set_file=set_file, set_json=set_json)


_VALUES: dict[str, Option] = {
    "value_files": click.option(
        "-f", "--values", "value_files", multiple=True, metavar="FILE", help="Values from a YAML file; - is stdin."
    ),
    "set_values": click.option(
        "--set", "set_values", multiple=True, metavar="K=V", help="Set values: k1=v1,k2.inner=v2,list[0]=v3."
    ),
    "set_string": click.option("--set-string", multiple=True, metavar="K=V", help="Set values as text."),
    "set_file": click.option("--set-file", multiple=True, metavar="K=PATH", help="Set values to files' contents."),
    "set_json": click.option("--set-json", multiple=True, metavar="K=JSON", help="Set values from JSON."),
}

_SOURCE: dict[str, Option] = {
    "version": click.option("--version", metavar="VERSION", help="The chart's version, or a constraint on it."),
    "repo": click.option("--repo", metavar="URL", help="The chart repository that holds the chart."),
}

_SERVICE: dict[str, Option] = {
    "name": click.option("--name", metavar="NAME", help="The service's name, for charts of services, such as svc1."),
    "service_version": click.option("--service-version", metavar="vN", help="The service's version, such as v1."),
}

values = together("values", values_of, **_VALUES)


def _given(
    version: str | None, repo: str | None, name: str | None, service_version: str | None, **values: Any
) -> dict[str, Any]:
    return {
        "values": values_of(**values),
        "version": version,
        "repo": repo,
        "name": name,
        "service_version": service_version,
    }


#: The options that select a chart and its release, besides the chart's name and the lane.
given_chart = together("given", _given, **_VALUES, **_SOURCE, **_SERVICE)

rendering = together(
    "rendering",
    dict,
    kube_version=click.option("--kube-version", metavar="VERSION", help="Render for this Kubernetes version."),
    api_versions=click.option(
        "-a", "--api-versions", multiple=True, metavar="API", help="Render as if the cluster had this API."
    ),
)


class DurationType(click.ParamType[str]):
    """A duration in the format of Go and Helm."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from sidelane.helm.durations import seconds

        try:
            seconds(value)
        except InvalidInput as error:
            self.fail(str(error), param, ctx)
        return str(value)


timeout = click.option(
    "--timeout", type=DurationType(), metavar="DURATION", help="The time limit of each Helm step. [default: 5m0s]"
)

_PATIENCE: dict[str, Option] = {
    "wait": click.option("--wait", is_flag=True, help="Wait until everything is ready, at most the timeout."),
    "timeout": timeout,
    "rollback_on_failure": click.option(
        "--rollback-on-failure",
        "--atomic",
        "rollback_on_failure",
        is_flag=True,
        help="Undo the call if it fails; implies --wait.",
    ),
}

patience = together("patience", dict, **_PATIENCE)

create_namespace = click.option("--create-namespace", is_flag=True, help="Create the namespace if it is missing.")

require_guard = click.option(
    "--require-guard",
    is_flag=True,
    help="Refuse a namespace in which the policies of the chart guard do not refuse changes.",
)

#: The same, for commands that can create their namespace.
bringing = together("bringing", dict, create_namespace=create_namespace, require_guard=require_guard, **_PATIENCE)
