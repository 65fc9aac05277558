"""How many inputs tests generate: few for each commit, and in `make soak` many times as many."""

import os
from typing import Final

#: As many times are generated inputs tried.
TIMES: Final = int(os.environ.get("SIDELANE_SOAK_TIMES", "1"))
