#!/bin/sh
# install.sh install|uninstall - puts what make has built below $DESTDIR, or takes it
# away again. share/share.mk sets B, DESTDIR, bindir, libdir, datadir and mandir.
#
# Every file, and every folder that had to be made, is a line of the manifest: uninstall
# removes just these, whatever has come and gone since, and so does the install of
# another version with what it does not have any more. Modes are given, not left to umask.
# shellcheck disable=SC2154 # variables of the Makefile
set -eu
export LC_ALL=C
manifest=$datadir/nnc/manifest
new=$(mktemp)
trap 'rm -f "$new"' EXIT

for dir in "$bindir" "$libdir" "$datadir" "$mandir"; do
	case $dir in
	/*) ;;
	*) echo "install: '$dir' does not begin with /" >&2; exit 2 ;;
	esac
done

# Makes a folder and those above it; '' is DESTDIR itself.
folder()
{
	[ ! -d "$DESTDIR$1/" ] || return 0
	if [ -n "$1" ]; then
		folder "${1%/*}"
		mkdir "$DESTDIR$1"
	else
		mkdir -p "$DESTDIR"
	fi
	chmod 755 "$DESTDIR$1"
	echo "d $1" >>"$new"
}

# file MODE FROM TO
file()
{
	folder "${3%/*}"
	install -m "$1" "$2" "$DESTDIR$3"
	echo "f $3" >>"$new"
}

# tree FROM TO [PATTERN]: the files below a folder, in the same folders
tree()
{
	(cd "$1" && find . -type f -name "${3:-*}") | sort | while read -r path; do
		file 644 "$1/$path" "$2${path#.}"
	done
}

# Reads lines of a manifest, and removes what they name; the deepest folders first.
remove()
{
	sort -r | while read -r kind path; do
		case $kind in
		f) rm -f "$DESTDIR$path" ;;
		d) rmdir "$DESTDIR$path" 2>/dev/null || : ;; # something else is in it
		esac
	done
}

case $1 in
install)
	file 755 "$B/nnc" "$bindir/nnc"
	for path in "$B/libnncrt.a" runtime/nnc_rt.h runtime/nnc_vec.h; do
		file 644 "$path" "$libdir/nnc/${path##*/}"
	done
	file 644 "$B/share/nnc.pc" "$libdir/pkgconfig/nnc.pc"
	tree "$B/share/man" "$mandir"
	tree "$B/share/data" "$datadir"
	tree models "$datadir/nnc/models" '*.nn'
	echo "f $manifest" >>"$new"
	if [ -e "$DESTDIR$manifest" ]; then
		sed -n '/^d /p' "$DESTDIR$manifest" >>"$new" # still ours
		sort -u -o "$new" "$new"
		sort "$DESTDIR$manifest" | comm -23 - "$new" | remove
	fi
	sort -u -o "$new" "$new"
	install -m 644 "$new" "$DESTDIR$manifest"
	;;
uninstall)
	if [ ! -e "$DESTDIR$manifest" ]; then
		echo "uninstall: nothing is installed here: no $DESTDIR$manifest" >&2
		exit 1
	fi
	cat "$DESTDIR$manifest" >"$new"
	remove <"$new"
	;;
esac
