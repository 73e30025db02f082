#!/bin/sh
# deps.sh [--check] [PACKAGE...] - installs what the build, the tests and the demo need
# and these packages besides, by apt-get; only what is missing. --check, or a system
# without apt-get: says what that is; exit status 1 if it is something.
set -eu
: "${CC:=cc}"
check=false
if [ "${1:-}" = --check ]; then
	check=true
	shift
fi

program() { command -v "$1" >/dev/null 2>&1; }
header() { echo "#include <$1>" | "$CC" -E - >/dev/null 2>&1; }
library() { echo 'int main(void) { return 0; }' | "$CC" -x c - -l"$1" -o /dev/null 2>/dev/null; }
installed() { dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }
data() { [ -e "$1" ] || [ -e "${NNC_DATA:-data}/${1##*/}" ]; }

missing=
need() # PACKAGE TEST ARGUMENT
{
	"$2" "$3" || missing="$missing $1"
}
need gcc program "$CC"
need libc6-dev header stdio.h
need flex program flex
need bison program bison
need libopenblas-dev library openblas # cblas.h may be another's
need zlib1g-dev header zlib.h
need libpng-dev header png.h
need libjansson-dev header jansson.h
need libcunit1-dev header CUnit/Basic.h
need pkg-config program pkg-config
need gnuplot-nox program gnuplot
need dataset-fashion-mnist data /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
for package in "$@"; do
	need "$package" installed "$package"
done
[ -n "$missing" ] || exit 0

if $check || ! program apt-get; then
	echo "missing:$missing" >&2
	echo "help: on Debian and Ubuntu, apt-get install$missing" >&2
	echo "help: elsewhere, the packages of these names; Fashion-MNIST's four files go to ./data" >&2
	exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
	program sudo || { echo "as root: apt-get install$missing" >&2; exit 1; }
	as_root=sudo
fi
echo "installing$missing"
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -qq update
# shellcheck disable=SC2086 # a list of words
$as_root apt-get -qq install --no-install-recommends -y $missing >/dev/null
