# What every case begins with: sourced from its folder. BENCH names the program.
bench=${BENCH:-bench}
bench=$(command -v "$bench" || echo "$bench")
python=${bench%/bench}/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export BENCH_CACHE=${BENCH_CACHE:-$work/cache} PYTHONPATH=$PWD/..${PYTHONPATH:+:$PYTHONPATH}
base="run --source phantom --profile smoke --limit 2 --jobs 1 --no-timing --methods oracle+sinc"
mine="run --source mine --profile smoke --jobs 1 --no-timing --methods oracle+sinc --plugin source.py"
