#!/bin/bash
# bench called from a script without a main guard, and from standard input
# right: runs, or says that __main__ must be importable
cd "$(dirname "$0")" && . ../common.sh || exit
cat > $work/s.py <<P
from bench.cli import main
main('$base --results $work/runs'.split())
P
$python $work/s.py 2>&1 | tail -4; $python - < $work/s.py 2>&1 | tail -4; $python -m bench --help | head -2
