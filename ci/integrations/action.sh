#!/usr/bin/env bash
# The check of the GitHub Action (action.yml). CHARTS has a chart's folder on each line; LANE, STRICT and SIDE_BY_SIDE
# are the action's other inputs. It checks everything before it fails.
set -euo pipefail

sarif="$RUNNER_TEMP/sidelane-sarif"
mkdir -p "$sarif"
echo "sarif=$sarif" >>"$GITHUB_OUTPUT"

options=()
[ -z "$LANE" ] || options+=("--lane=$LANE")
[ "$STRICT" != true ] || options+=(--strict)

code=0
number=0
check() {
    report "$@"
    [ "$SIDE_BY_SIDE" != true ] || report --side-by-side "$@"
}

report() {
    number=$((number + 1))
    local ended=0
    sidelane check "${options[@]}" "$@" --output=github --output="sarif=$sarif/$number.sarif" -- "$chart" || ended=$?
    [ "$ended" -le "$code" ] || code=$ended
}

while IFS= read -r chart; do
    [ -n "$chart" ] || continue
    # A folder must not read as the name of a chart, of Sidelane's or of a repository.
    [[ $chart == /* || $chart == ./* ]] || chart="./$chart"
    given=0
    for values in "$chart"/ci/*-values.yaml; do
        [ -e "$values" ] || continue
        given=1
        check "--values=$values"
    done
    [ "$given" = 1 ] || check
done <<<"$CHARTS"

if [ "$number" = 0 ]; then
    echo "::error::The input 'charts' names no chart; give a chart's folder on each line"
    exit 2
fi
exit "$code"
