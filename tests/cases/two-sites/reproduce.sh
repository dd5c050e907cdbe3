#!/bin/bash
# two sources whose people have the same short names and releases share a cache
# right: site B's figures are those of site B
cd "$(dirname "$0")" && . ../common.sh || exit
for s in a b; do $bench run --source site-$s --profile smoke --jobs 1 --methods oracle+sinc --plugin site_$s.py --results $work/$s 2>&1 | grep "oracle+sinc  "; done
BENCH_CACHE=$work/fresh $bench run --source site-b --profile smoke --jobs 1 --methods oracle+sinc --plugin site_b.py --results $work/fresh-b 2>&1 | grep "oracle+sinc  "
cut -d, -f10- $work/b/vwi/smoke/oracle+sinc/seed0/slices.csv | cmp -s - <(cut -d, -f10- $work/fresh-b/vwi/smoke/oracle+sinc/seed0/slices.csv) && echo "rc=0 same" || { echo "WRONG: site B got other numbers than on a fresh cache"; exit 1; }
