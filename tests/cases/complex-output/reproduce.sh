#!/bin/bash
# a super-resolver returns a complex image
# right: row 'failed': its output is complex; not a score of the real part
cd "$(dirname "$0")" && . ../common.sh || exit
$bench run --source phantom --profile smoke --limit 2 --jobs 1 --methods oracle+phasey,oracle+sinc --plugin complex.py --results $work/runs 2>&1 | tail -20; echo "rc=${PIPESTATUS[0]}"
