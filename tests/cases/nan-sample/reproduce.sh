#!/bin/bash
# one NaN sample in the k-space of one test slice
# right: one line naming subject, contrast and slice; nothing cached; no traceback
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
