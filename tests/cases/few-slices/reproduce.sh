#!/bin/bash
# own raw k-space with one slice a contrast, the protocol asks two
# right: uses the slice there is (or says in one line which subject and contrast has too few); never an IndexError; a second run does not prepare again for ever
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
