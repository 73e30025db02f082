#!/bin/sh
# Runs parts of the tests: `tests/run.sh [PART...]`, by default every tests/*/run, two
# at a time. Each is one line with its counts and time; what failed or was skipped is
# shown below it. The last line is the total: `N passed, N failed`. LONG=1: the long form
# of each (make check-long).
#
# A part is an executable tests/PART/run that ends by printing `N passed, N failed`.
# One that does not, or that tests nothing, has failed; a line `SKIPPED what: why`
# excuses the latter, but not under CI=true.
set -u
cd "$(dirname "$0")/.." || exit 1
export NNC="${NNC:-$PWD/build/nnc}"
results=$(mktemp -d) || exit 1
trap 'rm -rf "$results"' EXIT
trap 'exit 130' INT TERM HUP

if [ $# -eq 0 ]; then
	for run in tests/*/run; do
		set -- "$@" "$(basename "$(dirname "$run")")"
	done
fi
printf '%s\n' "$@" | xargs -n 1 -P "${JOBS:-2}" sh tests/part.sh "$results"
cat "$results"/*.count | awk '
	{ passed += $1; failed += $3 }
	END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || !passed }'
