#!/usr/bin/env bash
# The check of the GitHub Action (action.yml). CHARTS has a chart's folder, or a folder of charts, on each line; LANE,
# STRICT and SIDE_BY_SIDE are the action's other inputs. It checks everything before it fails.
set -euo pipefail

sarif="$RUNNER_TEMP/sidelane-sarif"
mkdir -p "$sarif"
echo "sarif=$sarif" >>"$GITHUB_OUTPUT"

options=(--ci-values --output=github)
[ -z "$LANE" ] || options+=("--lane=$LANE")
[ "$STRICT" != true ] || options+=(--strict)

charts=()
while IFS= read -r chart; do
    [ -n "$chart" ] || continue
    # A folder must not read as the name of a chart, of Sidelane's or of a repository.
    [[ $chart == /* || $chart == ./* ]] || chart="./$chart"
    charts+=("$chart")
done <<<"$CHARTS"
if [ "${#charts[@]}" = 0 ]; then
    echo "::error::The input 'charts' names no chart; give a chart's folder on each line"
    exit 2
fi

code=0
sidelane check "${options[@]}" --output="sarif=$sarif/check.sarif" -- "${charts[@]}" || code=$?
if [ "$SIDE_BY_SIDE" = true ]; then
    ended=0
    sidelane check --side-by-side "${options[@]}" --output="sarif=$sarif/side-by-side.sarif" -- "${charts[@]}" || ended=$?
    [ "$ended" -le "$code" ] || code=$ended
fi
exit "$code"
