#!/bin/sh
# analyze.sh FILES: what cppcheck, clang-tidy (with clang's analyzer; see .clang-tidy) and
# gcc's analyzer have to say about them. Silence and status 0 are expected.
# Run from the root after make.
set -u
for tool in cppcheck clang-tidy gcc; do
	command -v $tool >/dev/null && continue
	echo "analyze wants $tool: apt-get install $tool" >&2
	exit 1
done
report=$(mktemp) || exit 1
trap 'rm -f "$report"' EXIT
status=0

# silent COMMAND...: it succeeds, or what it says is shown
silent()
{
	"$@" >"$report" 2>&1 && return
	echo "$*" | cut -c-100
	cat "$report"
	status=1
}

flags='-Icompiler -Iruntime -Ibuild'
libs='-DNNC_LIBS=""' dir='-DNNC_RUNTIME_DIR=""'
# Templates are text: with a definition cppcheck leaves out what stands behind another.
# shellcheck disable=SC2086 # words
silent cppcheck -q --std=c11 --enable=warning,portability --error-exitcode=1 \
	$flags "$libs" "$dir" "$@"
# gcc 12 loses sight of what a growing table owns, and of structs in arrays; clang does not.
# Of several files in one run clang-tidy mistakes each va_list but the first.
for file; do
	# shellcheck disable=SC2086 # words
	silent clang-tidy --quiet "$file" -- -std=gnu11 $flags "$libs" "$dir"
	# shellcheck disable=SC2086 # words
	silent gcc -std=gnu11 -O1 -fanalyzer -Wno-analyzer-malloc-leak \
		-Wno-analyzer-use-of-uninitialized-value -Werror $flags "$libs" "$dir" \
		-c -o /dev/null "$file"
done
exit $status
