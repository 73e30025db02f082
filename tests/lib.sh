# shellcheck shell=sh
# lib.sh - what the parts of the tests share. A part begins with
#     . "$(dirname "$0")/../lib.sh"
# and is then in the root of the source, with $NNC, an empty folder $work of its own,
# and the functions below; it ends with `finish`.
set -u
export LC_ALL=C
unset MAKEFLAGS MFLAGS MAKELEVEL SAN CDPATH
cd "$(dirname "$0")/../.." || exit 1
: "${NNC:=$PWD/build/nnc}"
export NNC
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
passed=0 failed=0

pass()
{
	passed=$((passed + 1))
}

# fail NAME [FILE...]: counts a failure, and shows the files
fail()
{
	failed=$((failed + 1))
	echo "FAIL $1"
	shift
	for _file in "$@"; do
		head -n 40 "$_file" | sed 's/^/    /'
	done
}

# check NAME COMMAND...: the command succeeds
check()
{
	_name=$1
	shift
	if "$@" >"$work/.out" 2>&1 </dev/null; then pass; else fail "$_name" "$work/.out"; fi
}

# exits STATUS NAME COMMAND...: it ends with this status; its output is in $out and $err
out=$work/.stdout err=$work/.stderr
exits()
{
	_want=$1 _name=$2
	shift 2
	"$@" >"$out" 2>"$err" </dev/null
	_got=$?
	if [ $_got -eq "$_want" ]; then
		pass
	else
		fail "$_name: status $_got, not $_want" "$out" "$err"
	fi
}

# has NAME FILE TEXT: the file has this text in a line
has()
{
	if grep -qF -e "$3" "$2"; then pass; else fail "$1: no '$3' in" "$2"; fi
}

# same NAME EXPECTED FOUND: two files are equal
same()
{
	if diff -u "$2" "$3" >"$work/.diff" 2>&1; then pass; else fail "$1" "$work/.diff"; fi
}

# skip WHAT WHY: said loudly; where everything must be there (CI=true) it is a failure
skip()
{
	echo "SKIPPED $1: $2"
	[ "${CI:-}" != true ] || fail "$1: skipped under CI"
}

# sized QUICK LONG: the second in `make check-long`, else the first
sized()
{
	if [ -n "${LONG:-}" ]; then echo "$2"; else echo "$1"; fi
}

# small_data FOLDER TRAIN TEST: the first samples of Fashion-MNIST, a folder for --data
small_data()
{
	for _from in "${NNC_DATA:-none}" data /usr/share/datasets/fashion-mnist; do
		[ ! -e "$_from/train-images-idx3-ubyte.gz" ] || break
	done
	mkdir -p "$1"
	for _part in "train $2" "t10k $3"; do
		_n=${_part#* } _part=${_part% *}
		_count=$(printf '\\0\\0\\0%o\\0%o' $((_n / 256)) $((_n % 256)))
		{
			printf '%b' "\\0\\0\\010\\003$_count\\0\\0\\0\\034\\0\\0\\0\\034"
			gzip -dc "$_from/$_part-images-idx3-ubyte.gz" | tail -c +17 | head -c $((_n * 784))
		} >"$1/$_part-images-idx3-ubyte"
		{
			printf '%b' "\\0\\0\\010\\001$_count"
			gzip -dc "$_from/$_part-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$_n"
		} >"$1/$_part-labels-idx1-ubyte"
	done
}

finish()
{
	echo "$passed passed, $failed failed"
	[ $failed -eq 0 ]
	exit
}
