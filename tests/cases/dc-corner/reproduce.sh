#!/bin/bash
# DC in the corner of k-space instead of in the middle
# right: refused or warned: the energy is not at N // 2; not a table with exit code 0
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
