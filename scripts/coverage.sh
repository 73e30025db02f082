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

# Every branch of these: checkpoints, IDX, safetensors, escaping, shape checks.
WHOLE = ["runtime/checkpoint.c", "runtime/idx_file.c", "runtime/data/idx.c",
         "runtime/safetensors.c", "runtime/tensors.c", "runtime/text.c",
         "compiler/emit/text.c", "compiler/window.c"]
with open(sys.argv[1]) as f:
    summary = json.load(f)
print("%-36s %15s %15s" % ("file", "lines", "branches"))
missing = []
for f in summary["files"]:
    if f["filename"] in WHOLE and f["branch_covered"] < f["branch_total"]:
        missing.append(f["filename"])
    print("%-36s %6d %7.1f%% %6d %7.1f%%" % (f["filename"], f["line_total"], f["line_percent"],
                                            f["branch_total"], 100 if f["branch_percent"] is None else f["branch_percent"]))
lines, branches = summary["line_percent"], summary["branch_percent"]
print("%-36s %6d %7.1f%% %6d %7.1f%%" % ("all", summary["line_total"], lines,
                                        summary["branch_total"], branches))
for name in missing:
    print("%s: not every branch" % name)
sys.exit(bool(lines < 90 or branches < 80 or missing))
END
