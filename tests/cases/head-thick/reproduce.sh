#!/bin/bash
# 6 mm slices: fewer slices than are asked
# right: each slice once, or one line before anything is trained
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs --set data.slices=[8,4,60]; echo "rc=$?"
