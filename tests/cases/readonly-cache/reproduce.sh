#!/bin/bash
# the cache folder cannot be written
# right: one line that names BENCH_CACHE, exit 2, as for --results
cd "$(dirname "$0")" && . ../common.sh || exit
mkdir -p $work/ro; unshare -m bash -c "mount --make-rprivate / && mount --bind $work/ro $work/ro && mount -o remount,bind,ro $work/ro && BENCH_CACHE=$work/ro $bench $base --results $work/runs" 2>&1 | tail -3; echo "rc=${PIPESTATUS[0]}"
