#!/bin/sh
# demo.sh BUILD [OPTION...] - compiles the paper's CNN, trains it with these options in
# BUILD/demo, and ends with its test accuracy and what to try next.
set -eu
build=$1 demo=$1/demo
shift
mkdir -p "$demo"
[ ! -d data ] || export NNC_DATA="${NNC_DATA:-$PWD/data}"

echo "\$ $build/nnc models/cnn.nn -o $demo/cnn"
"$build/nnc" models/cnn.nn -o "$demo/cnn"
echo "\$ cd $demo && ./cnn train $*"
cd "$demo"
rm -rf cnn.run # a demo begins anew
./cnn train "$@" >result.txt

cat <<END

$(cat result.txt)

Next, in $demo:
    ./cnn train --resume --epochs 10   goes on where this stopped
    ./cnn eval                         the confusion matrix, precision and recall
    ./cnn report                       a page about this run
    ./cnn info                         the network, layer by layer
    ../nnc -S ../../models/cnn.nn -o - the C that was just compiled
and change models/cnn.nn.
END
