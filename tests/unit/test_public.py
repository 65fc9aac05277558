"""The public names of `sidelane`, the verbs of both faces, and the cost of importing a name."""

import inspect
import re
import subprocess
import sys

import pytest
import sidelane
from sidelane import AsyncClient, AsyncRoutes, AsyncShifts, Client, Routes, Shifts, SidelaneError

RESULTS = {
    "Applied", "Bundle", "Change", "Checks", "Comparison", "Finding", "Graph", "Guarding", "LaneStatus",
    "PlainRendering", "Plan",
    "Readiness", "Record", "Release", "Rendering", "Repair", "Replayed", "Report", "Retirement", "Routed",
    "RoutedTogether", "Shift", "ShiftStatus", "ShiftUndone", "Standing", "Unready", "Verification",
}  # fmt: skip
ERRORS = {
    "ApplyFailed", "ChartNotFound", "CheckFailed", "ClusterDenied", "ClusterUnreachable", "FieldsOwned", "GateFailed",
    "HelmError", "HelmNotFound", "HelmTooOld", "InvalidConventions", "InvalidDeployment", "InvalidInput", "InvalidLane",
    "InvalidManifest", "InvalidName", "InvalidRoute", "InvalidValues", "KindNotServed", "NotOurs", "NotReady",
    "NotSigned", "NotWhatWasChecked", "Refused", "ReleaseConflict", "ReleaseExists", "ReleaseNotFound", "RouteChanged",
    "SidelaneError", "StillHeld", "TargetBusy", "TargetNotReady", "TimedOut", "TooLarge",
}  # fmt: skip


def test_the_public_names():
    faces = {"AsyncClient", "AsyncRoutes", "AsyncShifts", "Client", "Lane", "Routes", "Shifts"}
    assert set(sidelane.__all__) == faces | RESULTS | ERRORS
    assert sidelane.__all__ == sorted(sidelane.__all__)
    assert set(dir(sidelane)) == {*sidelane.__all__, "__version__"}
    for name in sidelane.__all__:
        assert getattr(sidelane, name).__doc__
        assert getattr(sidelane, name).__name__ == name
    with pytest.raises(AttributeError):
        sidelane.nothing  # noqa: B018


def test_every_error_and_every_result_of_a_verb_is_public():
    family = [SidelaneError]
    for error in family:
        family += error.__subclasses__()
    assert {error.__name__ for error in family} == ERRORS
    returned = {
        word
        for face in (AsyncClient, AsyncRoutes, AsyncShifts)
        for verb in verbs(face).values()
        for word in re.findall(r"[A-Z]\w+", inspect.signature(verb).return_annotation)
    }
    assert returned <= {*RESULTS, "None"}
    assert returned >= RESULTS - {"Finding", "Unready"}, "these two are parts of results"


def verbs(face):
    return {name: member for name, member in inspect.getmembers(face, callable) if not name.startswith("_")}


def test_both_faces_have_the_same_verbs_with_the_same_arguments():
    assert set(verbs(Client)) == {
        "install", "upgrade", "plan", "apply", "list", "status", "uninstall", "render", "check", "retire", "outdated",
        "record", "verify", "repair", "diff", "bundle", "replay", "graph", "wait", "where", "side_by_side",
        "guard_role",
        "guard_status", "check_all", "check_deployed",
    }  # fmt: skip
    assert set(verbs(Routes)) == {
        "set", "set_together", "show", "list", "history", "undo", "undo_together", "shift", "shift_back",
    }  # fmt: skip
    assert set(verbs(Shifts)) == {"start", "status", "go_on", "back", "promote"}
    for face, asynchronous in ((Client, AsyncClient), (Routes, AsyncRoutes), (Shifts, AsyncShifts)):
        assert inspect.signature(face) == inspect.signature(asynchronous) or face is not Client
        for name, verb in verbs(asynchronous).items():
            assert inspect.signature(verbs(face)[name]) == inspect.signature(verb)
            assert verbs(face)[name].__doc__ == verb.__doc__


@pytest.mark.parametrize(
    ("name", "needs_no"),
    [
        ("__version__", ["sidelane.errors", "sidelane.naming", "asyncio"]),
        ("Lane", ["sidelane.charts", "sidelane.client", "sidelane.helm", "asyncio"]),
        ("SidelaneError", ["sidelane.naming", "sidelane.client", "asyncio"]),
        ("Client", ["sidelane.lanes", "sidelane.graph", "sidelane.cli", "kubernetes", "sidelane.releases.verify"]),
    ],
)
def test_a_name_imports_what_it_needs(name, needs_no):
    program = f"import sys, sidelane\nsidelane.{name}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not set(needs_no) & set(done.stdout.split())
