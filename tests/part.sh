#!/bin/sh
# part.sh RESULTS PART - one part of tests/run.sh: runs it, keeps its counts in
# RESULTS/PART.count, and prints its line and what is worth reading of its output.
set -u
results=$1 part=$2 out=$1/$2.out

begin=$(date +%s)
# timeout has a process group of its own: what interrupts this script is passed on.
[ -z "${LONG:-}" ] || : "${PART_TIMEOUT:=28800}"
timeout -k 10 "${PART_TIMEOUT:-900}" "tests/$part/run" >"$out" 2>&1 </dev/null &
trap 'kill $!; exit 130' INT TERM HUP
wait $!
status=$?
seconds=$(($(date +%s) - begin))

why=
count=$(tail -n 1 "$out" | grep -Ex '[0-9]+ passed, [0-9]+ failed')
case $count:$status in
:124 | :137) count='0 passed, 1 failed' why=' (out of time)' ;;
:*) count='0 passed, 1 failed' why=" (ended with status $status before its count)" ;;
'0 passed, 0 failed':*)
	if [ "${CI:-}" = true ] || ! grep -q '^SKIPPED' "$out"; then
		count='0 passed, 1 failed' why=' (no test was run)'
	fi
	;;
*', 0 failed':0) ;;
*', 0 failed':*) count="${count%, *}, 1 failed" why=" (ended with status $status)" ;;
esac
echo "$count" >"$results/$part.count"

# One write, so that the lines of two parts that end together stay apart.
{
	printf '%-10s %s, %d s%s\n' "$part" "$count" "$seconds" "$why"
	case $count in
	*', 0 failed') grep '^SKIPPED' "$out" ;;
	*) tail -n 300 "$out" | sed 's/^/    /' ;;
	esac
} >"$results/$part.text"
cat "$results/$part.text"
exit 0
