#!/usr/bin/env bash
# A private PostgreSQL cluster for tests: in a temporary folder, on a free port of loopback, gone when it is no longer needed.
#   tests/postgres.sh install          installs PostgreSQL from Debian packages where it is missing
#   tests/postgres.sh run              starts a cluster, prints its URL and its folder, a line each, and ends it, folder and
#                                      all, when standard input ends: so it never outlives whoever asked for it
#   tests/postgres.sh standby FOLDER   the same as run, for a standby that follows the server of that folder
#   tests/postgres.sh promote FOLDER   makes the standby of such a folder a server that takes writes
#   tests/postgres.sh start FOLDER     starts the server of such a folder again, after a test has killed it
# As root the server runs as the user `postgres`, since PostgreSQL refuses root.
set -euo pipefail

fail() {
    echo "$*" >&2
    exit 1
}

# The newest server's programs.
bin() {
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -1)
    if [ -x "$newest" ]; then
        dirname "$newest"
    elif command -v initdb >/dev/null; then
        dirname "$(command -v initdb)"
    else
        fail "the PostgreSQL server is not installed: run tests/postgres.sh install"
    fi
}

as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        setpriv --reuid=postgres --regid=postgres --clear-groups --no-new-privs env -C / "$@"
    else
        "$@"
    fi
}

install_server() {
    if (bin) >/dev/null 2>&1 && command -v openssl >/dev/null; then return; fi
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        fail "needs the PostgreSQL server and openssl (Debian packages postgresql and openssl)"
    fi
    apt-get update -qq
    # Without a cluster of its own: it would listen.
    mkdir -p /etc/postgresql-common
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends postgresql openssl
}

# Memory is as durable as the kill of a process needs, and much faster than a disk to sync.
temporary() {
    local free
    free=$(df --output=avail -k /dev/shm 2>/dev/null | tail -1 || echo 0)
    if [ -w /dev/shm ] && [ "$free" -gt 2000000 ]; then
        mktemp -d /dev/shm/fhir-postgres-XXXXXX
    else
        mktemp -d -t fhir-postgres-XXXXXX
    fi
}

start() {
    local file=$1/data/postmaster.pid pid
    # A killed server leaves its file, and where nobody collects it also its number, which then looks alive.
    if [ -e "$file" ]; then
        pid=$(head -1 "$file")
        if ! grep -Eqs '^State:[[:space:]]+[^ZX[:space:]]' "/proc/$pid/status"; then rm -f "$file"; fi
    fi
    as_server "$(bin)/pg_ctl" --pgdata="$1/data" --log="$1/log" --timeout=30 --silent --wait start
}

make() {
    local folder=$1 password=$2
    printf '%s\n' "$password" >"$folder/password"
    if [ "$(id -u)" -eq 0 ]; then chown -R postgres: "$folder"; fi
    as_server "$(bin)/initdb" --pgdata="$folder/data" --username=fhir --pwfile="$folder/password" --auth=password \
        --encoding=UTF8 --locale=C --no-instructions >"$folder/initdb.log" 2>&1 || fail "$(cat "$folder/initdb.log")"
    cat >>"$folder/data/postgresql.conf" <<-END
	listen_addresses = '127.0.0.1'
	unix_socket_directories = ''
	max_connections = 300
	jit = off
	dynamic_shared_memory_type = mmap
	log_min_duration_statement = 1000
	END
    if command -v openssl >/dev/null; then
        printf '[req]\ndistinguished_name=name\nx509_extensions=leaf\n[name]\n[leaf]\nsubjectAltName=DNS:localhost\n%s\n' \
            basicConstraints=critical,CA:FALSE >"$folder/openssl.cnf"
        openssl req -x509 -config "$folder/openssl.cnf" -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
            -subj /CN=localhost -keyout "$folder/data/server.key" -out "$folder/data/server.crt" 2>/dev/null
        cp "$folder/data/server.crt" "$folder/ca.pem"
        chmod 600 "$folder/data/server.key"
        if [ "$(id -u)" -eq 0 ]; then chown postgres: "$folder"/data/server.*; fi
        echo "ssl = on" >>"$folder/data/postgresql.conf"
    fi
}

# A copy of the server of another folder, that follows it.
copy() {
    local folder=$1 other=$2 port password
    port=$(sed -n 's/^port = //p' "$other/data/postgresql.conf")
    password=$(cat "$other/password")
    if [ "$(id -u)" -eq 0 ]; then chown postgres: "$folder"; fi
    cp "$other/password" "$folder/password"
    as_server env "PGPASSWORD=$password" "$(bin)/pg_basebackup" --pgdata="$folder/data" --write-recovery-conf --checkpoint=fast \
        --dbname="host=127.0.0.1 port=$port user=fhir" >"$folder/copy.log" 2>&1 || fail "$(cat "$folder/copy.log")"
}

run() {
    local folder password port try
    bin >/dev/null
    folder=$(temporary)
    # Read when the trap runs, after the function is left.
    trap "as_server '$(bin)/pg_ctl' --pgdata='$folder/data' --mode=immediate --silent stop >/dev/null 2>&1 || true; rm -rf '$folder'" EXIT
    # Whoever asked for the cluster ends it by closing the pipe, not by a signal meant for the terminal.
    trap '' INT
    if [ -n "${1:-}" ]; then
        password=$(cat "$1/password")
        copy "$folder" "$1"
    else
        password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
        make "$folder" "$password"
    fi
    for try in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 12000))
        sed -i '/^port = /d' "$folder/data/postgresql.conf"
        echo "port = $port" >>"$folder/data/postgresql.conf"
        if start "$folder" >/dev/null 2>&1; then break; fi
        if [ "$try" -eq 5 ]; then fail "$(tail -5 "$folder/log")"; fi
    done
    printf 'postgres://fhir:%s@127.0.0.1:%s/postgres\n%s\n' "$password" "$port" "$folder"
    cat >/dev/null
}

case ${1:-} in
install) install_server ;;
run) run ;;
standby) run "${2:?names no folder}" ;;
promote) as_server "$(bin)/pg_ctl" --pgdata="${2:?names no folder}/data" --silent --wait promote ;;
start) start "${2:?names no folder}" ;;
*) fail "usage: tests/postgres.sh install | run | standby FOLDER | promote FOLDER | start FOLDER" ;;
esac
