#!/bin/bash
# bench new with ids that are names the template imports
# right: the file works as it is
cd "$(dirname "$0")" && . ../common.sh || exit
cd $work; for i in 'sense reconstructor' 'output pipeline' 'none super_resolver'; do set -- $i; $bench new $1 --kind $2; $bench check $1 --plugin $1.py; done
