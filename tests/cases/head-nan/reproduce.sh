#!/bin/bash
# background of the head is NaN
# right: one line that names the subject (or NaN taken as air)
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
