#!/bin/bash
# a fully sampled centre wider than the acceleration allows
# right: one line at plan time, exit 2
cd "$(dirname "$0")" && . ../common.sh || exit
$bench run --dataset brain --source phantom --profile smoke --methods oracle+sinc --limit 4 --jobs 1 --set data.centre_factor=1 --results $work/runs 2>&1 | tail -2; echo "rc=${PIPESTATUS[0]}"
