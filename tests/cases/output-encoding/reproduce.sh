#!/bin/bash
# output sent to a file on a machine whose encoding is not UTF-8 (Windows: cp1252; LC_ALL=C in UTF-8 mode off)
# right: table with replaced characters, exit code 0
cd "$(dirname "$0")" && . ../common.sh || exit
PYTHONIOENCODING=cp1252 $bench $base --results $work/a 2>&1 | tail -12; echo "rc=${PIPESTATUS[0]}"
PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 LC_ALL=C $bench $base --results $work/b 2>&1 | tail -12; echo "rc=${PIPESTATUS[0]}"
