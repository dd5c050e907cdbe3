#!/bin/bash
# a method fails with a message that has a path in square brackets
# right: status 'failed' with the whole message, table printed, exit 1
cd "$(dirname "$0")" && . ../common.sh || exit
$bench run --source phantom --profile smoke --limit 2 --jobs 1 --methods oracle+broken,oracle+sinc --plugin broken.py --results $work/runs 2>&1 | tail -20; echo "rc=${PIPESTATUS[0]}"
