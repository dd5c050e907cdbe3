#!/bin/bash
# 150 people, two views each, one slice: 300 prepared files; macOS lets a process open 256 (Linux 1024)
# right: files are closed again, all 300 slices are scored
cd "$(dirname "$0")" && . ../common.sh || exit
ulimit -n 256
$bench run --dataset big --source mine --profile smoke --jobs 1 --methods oracle+sinc --plugin source.py --results $work/runs --set data.slices=[4,2,0] --set data.matrix_factor=1 --set data.centre_factor=1 2>&1 | tail -25; echo "rc=${PIPESTATUS[0]}"
