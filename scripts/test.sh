#!/bin/sh
# Run tests for `make test` and `make test-all`: scripts/test.sh quick|all|named [arguments for pytest]
#   quick   every test but those marked slow, which start real processes or train
#   all     every test
#   named   the tests that the arguments name
# Without arguments, quick and all also measure which lines of detector/ the tests run; COVERAGE_FLOOR=N fails below
# N percent. What runs in processes of its own is not seen.
# The files of tests share the processors, at most four: each process takes some 300 MB. The tests of one file stay
# in one process, in their order.
set -u
cd "$(dirname "$0")/.." || exit 1

which=$1
shift
measured=
if [ $# -eq 0 ]; then
    measured=yes
    set -- --cov --cov-report= ${COVERAGE_FLOOR:+--cov-fail-under="$COVERAGE_FLOOR"}
fi
if [ "$which" = quick ]; then
    set -- -m "not slow" "$@"
fi
.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --durations 10 "$@"
status=$?
if [ "$measured" ]; then
    echo "Coverage: the ten files with the least, then the total"
    .venv/bin/python -m coverage report --sort cover --skip-covered | awk 'NR > 2 && NR < 13 || /^TOTAL/'
fi
exit $status
