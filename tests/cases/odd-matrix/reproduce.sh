#!/bin/bash
# dataset with an odd matrix (55 x 47)
# right: one line, exit 2 at plan time: matrix must be even; or it works
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs --dataset odd --set data.matrix_factor=1 --set data.coils=0 --set data.centre_factor=1; echo "rc=$?"
