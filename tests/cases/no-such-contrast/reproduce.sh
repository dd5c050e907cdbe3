#!/bin/bash
# contrasts named otherwise than the protocol's views
# right: one line, exit 2: contrasts there, contrasts asked for
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
