#!/bin/bash
# a network file system without a lock daemon: flock gives ENOLCK
# right: one line that names the folder
cd "$(dirname "$0")" && . ../common.sh || exit
gcc -shared -fPIC -o $work/noflock.so noflock.c -ldl; FLOCK_ERR=37 LD_PRELOAD=$work/noflock.so $bench $base --results $work/runs 2>&1 | tail -2; echo "rc=${PIPESTATUS[0]}"
