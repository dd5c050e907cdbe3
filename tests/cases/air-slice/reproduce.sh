#!/bin/bash
# one test slice is all zero
# right: one line naming the slice (or the slice left out and said so); no MKL error in a traceback
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
