#!/bin/sh
# train.sh PROGRAM RUN STOPS [OPTION...] - trains in the folder RUN up to each of these
# numbers of epochs in turn, and tests at each: a line of RUN.jsonl each. Goes on where it
# was interrupted. RUN/cpu gets the processor time of all that it started.
set -eu
program=$1 run=$2 stops=$3
shift 3

mkdir -p "$run"
trap 'times >>"$run/cpu"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
for epochs in $stops; do
	[ ! -s "$run/test-$epochs" ] || continue
	if [ -e "$run/last.safetensors" ]; then resume=--resume; else resume=; fi
	"$program" train $resume --epochs "$epochs" "$@" --out "$run" --threads 1 \
		--no-plot --json --quiet >"$run/result"
	mv "$run/result" "$run/test-$epochs"
done
for epochs in $stops; do
	cat "$run/test-$epochs"
done >"$run.jsonl.new"
mv "$run.jsonl.new" "$run.jsonl"
