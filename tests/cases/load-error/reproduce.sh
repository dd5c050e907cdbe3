#!/bin/bash
# Source.load raises FileNotFoundError
# right: one line with the subject and the reason, exit 1 or 2; no traceback
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
