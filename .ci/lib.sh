# What .ci/run and .ci/long share: stages with their times, packages, the reading of test output. Sourced, not run.

export CARGO_INCREMENTAL=0 CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never RUST_BACKTRACE=1

work=$(mktemp -d)
report=()
current=""
started=$SECONDS

# Runs a function as a named stage, prints its time and stops the run if it fails.
stage() {
    local from=$SECONDS code
    current=$1
    printf '\n=== %s\n' "$1"
    set +e
    (
        set -euo pipefail
        "${@:2}"
    )
    code=$?
    set -e
    report+=("$(printf '%6d s  %-6s  %s' $((SECONDS - from)) "$([ $code -eq 0 ] && echo ok || echo FAILED)" "$1")")
    if [ $code -ne 0 ]; then exit $code; fi
    current=""
}

# Prints every stage's time, whatever the end.
finish() {
    local code=$?
    printf '\n=== times\n'
    if [ ${#report[@]} -gt 0 ]; then printf '%s\n' "${report[@]}"; fi
    printf '%6d s  in all\n' $((SECONDS - started))
    if [ $code -ne 0 ]; then printf 'failed: %s\n' "${current:-before the first stage}"; fi
    if [ -f "$work/counts" ]; then cat "$work/counts"; fi
    rm -rf "$work"
    exit $code
}
trap finish EXIT

# Installs the Debian package that has a command, where the command is missing and we may.
need_package() {
    local command=$1 package=$2
    if command -v "$command" >/dev/null; then return; fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "needs $command (Debian package $package)" >&2
        return 1
    fi
    if [ ! -e "$work/apt-updated" ]; then
        apt-get update -qq
        touch "$work/apt-updated"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$package"
}

# Runs a cargo test command with its tests' own output visible and keeps it in the given log.
logged_tests() {
    local log=$1
    shift
    RUST_TEST_NOCAPTURE=1 "$@" 2>&1 | tee "$log"
}

# Adds up a log's "test result" lines into one; no test at all, and a test that left itself out, are failures.
count_tests() {
    local log=$1 passed failed
    passed=$(sed -nE 's/^test result: .* ([0-9]+) passed; .*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    failed=$(sed -nE 's/^test result: .* ([0-9]+) failed; .*/\1/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
    echo "$passed passed, $failed failed" | tee "$work/counts"
    if [ "$passed" -eq 0 ]; then
        echo "no test ran" >&2
        return 1
    fi
    if grep -nE '(^|\.\.\. )SKIPPED' "$log" >"$work/skipped"; then
        echo "tests that left themselves out:" >&2
        cat "$work/skipped" >&2
        # A clone without the shared folder beside it may say so; nothing else may.
        [ "${FHIR_ALLOW_SKIPPED:-}" = 1 ]
    fi
}
