"""`sidelane verify`"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sidelane.cli import options, printing, running
from sidelane.errors import NotSigned

if TYPE_CHECKING:
    from sidelane.naming.lane import Lane
    from sidelane.releases.verification import Verification


#: The most pods that are shown as not ready for a release.
_SHOWN = 10


@click.command("verify")
@click.argument("release", required=False)
@options.lane(required=False)
@click.option(
    "--signature",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A DSSE envelope or Sigstore bundle that must hold the release's record.",
)
@click.option(
    "--key", type=click.Path(dir_okay=False), metavar="FILE", help="The PEM public key that must have signed it."
)
@click.option(
    "--vsa",
    is_flag=True,
    help="Print a SLSA Verification Summary of each release, one line of JSON each, for programs.",
)
@options.output
@running.reports_errors
@options.settings
def command(
    release: str | None,
    lane: Lane | None,
    *,
    signature: str | None,
    key: str | None,
    vsa: bool,
    format_: str,
    settings: dict[str, Any],
) -> None:
    """Compare RELEASE, or every release of a lane, with its record and the cluster.

    The state of a release is unchanged; changed in Helm; drifted in the cluster, with the field, the expected and the
    actual value, and the field's owner, or pods that differ from their workload's template; foreign, when objects of no
    release have the lane's labels or affect the release; missing objects; unfinished, when Helm did not complete it;
    rolling, while a workload's controller replaces pods of an earlier template; degraded, when a workload has too few
    ready pods; or unrecorded. A route needs no record: it changes in place, and `sidelane route history` has its
    changes. Defaults set by the API server and rollout restarts are not drift. Exits 1 unless every release is
    unchanged.

    With --signature and --key, the envelope or Sigstore bundle that `sidelane record RELEASE --sign-key` printed must
    be signed with that key, and hold exactly the record of RELEASE.
    """
    if release is None and lane is None:
        raise click.UsageError("Missing argument 'RELEASE' or option '--lane' (env var: 'SIDELANE_LANE').")
    if (signature is None) != (key is None):
        raise click.UsageError("The options '--signature' and '--key' must be used together.")
    if signature is not None and release is None:
        raise click.UsageError("Missing argument 'RELEASE': an envelope holds one release's record.")
    from sidelane.releases.verify import remedy

    verified = running.with_client(lambda client: client.verify(release, lane), **settings)
    if signature is not None and key is not None:
        _hold_against(signature, key, verified[0])
    if vsa:
        for verification in verified:
            printing.as_it_is(verification.summary() + "\n")
    elif format_ != "table":
        printing.data([verification.to_json() for verification in verified], format_)
    else:
        recorded = "there" if signature is None else "signed"
        rows = [
            (verification.release, verification.state, recorded if verification.record else verification.recorded)
            for verification in verified
        ]
        printing.table(("RELEASE", "STATE", "RECORD"), rows)
        for verification in verified:
            _explain(verification)
        if odd := [verification for verification in verified if verification.odd and not verification.changed]:
            printing.say("\n" + remedy((verification.release for verification in odd), odd[0].namespace))
    if any(verification.state != "unchanged" for verification in verified):
        raise SystemExit(1)


def _hold_against(signature: str, key: str, verification: Verification) -> None:
    """Checks the envelope against the verified record itself, which is not read again. Raises NotSigned."""
    from sidelane.releases.provenance import signing

    if verification.record is None:
        raise NotSigned(
            f"the release {verification.release} has no record, so there is no signature to check",
            remedy="plain Helm writes none; install it with sidelane",
        )
    signing.check(
        options.content(signature, signing.LIMIT), verification.record, options.content(key, options.KEY_LIMIT)
    )


def _explain(verification: Verification) -> None:
    lines = [
        *(f"{line} (in Helm)" for line in verification.changed),
        *(f"{identity}: is missing" for identity in verification.missing),
        *map(str, verification.drift),
        *map(str, verification.ran),
        *map(str, verification.strangers),
        *([f"its status is {verification.status}"] if verification.status != "deployed" else []),
        *verification.rolling,
        *verification.degraded,
        *(f"  {unready.label}: {unready.cause}" for unready in verification.unready[:_SHOWN]),
        *(f"{line} (operational)" for line in verification.operational),
        *map(str, verification.restarts),
        *(f"{line} (reported)" for line in verification.notes),
    ]
    if lines:
        printing.say()
        printing.say_line(f"{verification.release}:")
        for line in lines:
            printing.say_line(f"  {line}")
