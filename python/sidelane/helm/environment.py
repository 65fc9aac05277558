"""The environment variables of Helm's processes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

#: Each Helm compresses kubectl's messages when it starts: the 350 KB of the default language take 21 ms, over a third
#: of its start. This language has only seven messages, of `kubectl config`, `describe` and `annotate`. No machine has a
#: locale with this character set, so it changes no other text.
FEW_MESSAGES: Final = "zh_TW.helm"


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Returns this process's environment with what every Helm gets, and with a connection's settings."""
    return {
        # By default Go collects garbage each time that the heap has doubled, which is often in a short program. A heap
        # that may grow five times saves a fifth of Helm's processor time.
        "GOGC": "400",
        **os.environ,
        # With HELM_DEBUG, Helm writes a stack trace instead of its error.
        "HELM_DEBUG": "false",
        **settings,
    }


def of_command(command: Sequence[str], variables: Mapping[str, str]) -> Mapping[str, str]:
    """Returns the environment of one command of Helm.

    `helm template` without a cluster starts no other program, such as one for credentials, which would get the language
    too and may warn that the locale is missing, as perl does.
    """
    if command[0] != "template" or "--dry-run=server" in command or "LC_ALL" in variables:
        return variables
    return {**variables, "LC_MESSAGES": FEW_MESSAGES}
