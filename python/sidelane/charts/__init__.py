"""Charts: found, fetched, described; values held against their schema; a chart, a lane and values rendered."""
