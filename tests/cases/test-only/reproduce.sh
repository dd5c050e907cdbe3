#!/bin/bash
# a source with test subjects only, learned method
# right: one line, exit 2, before anything is prepared: no subject to train on
cd "$(dirname "$0")" && . ../common.sh || exit
$bench run --source mine --profile smoke --jobs 1 --methods modl+sinc --plugin source.py --results $work/runs ; echo "rc=$?"
