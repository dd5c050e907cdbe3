#!/bin/bash
# own raw k-space of 40 x 32, the protocol's matrix is 48 x 40
# right: one line, exit 2: subject, slice, its size and the size needed
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
