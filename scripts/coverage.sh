#!/bin/sh
# coverage.sh BUILD - what the programs of a `make COV=1` build have run so far: lines and
# branches of each file of compiler/ and runtime/, and whether they are as many as promised.
# Templates are text here; the tests of kernels cover them. An assert's failing branch is
# our bug, and does not count.
set -eu
build=$1
command -v gcovr >/dev/null || { echo 'coverage wants gcovr: apt-get install gcovr' >&2; exit 1; }
report() # OPTION...
{
	gcovr --root . --filter compiler/ --filter runtime/ --object-directory "$build" \
		--exclude-lines-by-pattern '\s*assert\(.*' --exclude-unreachable-branches \
		--exclude-throw-branches "$@" "$build"
}
report --json-summary "$build/coverage.json" >/dev/null
python3 - "$build/coverage.json" <<'END'
import json
import sys

WHOLE = ["checkpoint", "idx_file", "safetensors", "runtime/data/idx", "window", "text"]
with open(sys.argv[1]) as f:
    summary = json.load(f)
print("%-36s %15s %15s" % ("file", "lines", "branches"))
for f in summary["files"]:
    print("%-36s %6d %7.1f%% %6d %7.1f%%" % (f["filename"], f["line_total"], f["line_percent"],
                                            f["branch_total"], f["branch_percent"] or 100))
lines, branches = summary["line_percent"], summary["branch_percent"]
print("%-36s %6d %7.1f%% %6d %7.1f%%" % ("all", summary["line_total"], lines,
                                        summary["branch_total"], branches))
sys.exit(lines < 90 or branches < 80)
END
