#!/bin/bash
# a method in two files beside each other
# right: works, or says that a method is one file
cd "$(dirname "$0")" && . ../common.sh || exit
$bench check mine --plugin mine.py; echo "rc=$?"
