#!/bin/bash
# subject id sub-01/ses-01
# right: report is written, or the id is refused at plan time
cd "$(dirname "$0")" && . ../common.sh || exit
$bench $mine --results $work/runs 2>&1; echo "rc=$?"
$bench report --results $work/runs --out $work/report; echo "rc=$?"
