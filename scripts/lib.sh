# What the scripts share. Sourced, not run.

say() { printf '\n== %s\n' "$*"; }

# Installs Debian packages that are missing, if this is root on a machine that has apt-get.
need() {
    local missing=() package
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        printf 'These packages are needed: %s\n' "${missing[*]}" >&2
        return 1
    fi
    say "installing ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

free_port() {
    python3 - <<'PY' 2>/dev/null || shuf -i 20000-30000 -n 1
import socket
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1])
PY
}

# Says where the program is: what TANYA_TEST_PROGRAM names, or a release that is built here.
built_program() {
    if [ -z "${TANYA_TEST_PROGRAM:-}" ]; then
        # Within `$(…)` a failure does not end the script.
        cargo build --locked --release >&2 || return 1
        TANYA_TEST_PROGRAM=$(realpath "${CARGO_TARGET_DIR:-target}/release/tanya")
    fi
    printf '%s\n' "$TANYA_TEST_PROGRAM"
}

# Starts a PostgreSQL cluster that is thrown away, on loopback, never as root; sets TANYA_TEST_POSTGRES. It does not wait for
# the disk, unless settings are given (`-c fsync=on`).
start_postgres() {
    local port settings="${*:--c fsync=off}"
    postgres_user=()
    postgres_bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
    if [ -z "$postgres_bin" ]; then
        need postgresql
        postgres_bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
    fi
    port=$(free_port)
    postgres_folder=$(mktemp -d /tmp/tanya-postgres.XXXXXX)
    if [ "$(id -u)" -eq 0 ]; then
        chown postgres "$postgres_folder"
        postgres_user=(runuser -u postgres --)
    fi
    say "starting PostgreSQL on port $port"
    (
        cd "$postgres_folder"
        "${postgres_user[@]}" "$postgres_bin/initdb" -D "$postgres_folder/data" -U postgres --auth=trust -E UTF8 --locale=C >/dev/null
        "${postgres_user[@]}" "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -w -l "$postgres_folder/log" \
            -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_folder $settings -c max_connections=300" \
            start >/dev/null
    )
    export TANYA_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
}

stop_postgres() {
    [ -n "${postgres_folder:-}" ] || return 0
    (cd / && "${postgres_user[@]}" "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -m immediate stop >/dev/null 2>&1) || true
    rm -rf "$postgres_folder"
}

# Starts ChromeDriver; sets TANYA_TEST_CHROMEDRIVER.
start_chromedriver() {
    local port
    need chromium chromium-driver
    port=$(free_port)
    say "starting ChromeDriver on port $port"
    chromedriver --port="$port" --silent >/dev/null 2>&1 &
    chromedriver_pid=$!
    export TANYA_TEST_CHROMEDRIVER="http://127.0.0.1:$port"
}

# Starts a mail server that others wrote, which demands STARTTLS and AUTH; sets TANYA_TEST_SMTP, TANYA_TEST_SMTP_CA and
# TANYA_TEST_SMTP_SPOOL. Where it cannot be fetched that is a failure under CI; elsewhere TANYA_TEST_SMTP is set to
# nothing, which says that its story is skipped.
start_smtp() {
    local version=1.4.6
    local venv="$PWD/target/aiosmtpd-$version"
    if ! "$venv/bin/python" -c 'import aiosmtpd.smtp' 2>/dev/null; then
        python3 -c 'import ensurepip' 2>/dev/null || need python3 python3-venv
        need ca-certificates
        say "fetching aiosmtpd $version"
        mkdir -p target
        python3 -m venv --clear "$venv"
        if ! "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --retries 1 \
            --only-binary :all: "aiosmtpd==$version"; then
            rm -rf "$venv"
            if [ -n "${CI:-}" ]; then
                printf 'aiosmtpd cannot be fetched from PyPI, and here everything must run\n' >&2
                return 1
            fi
            say "aiosmtpd cannot be fetched from PyPI: the story with a foreign mail server is skipped"
            export TANYA_TEST_SMTP=
            return
        fi
    fi
    command -v openssl >/dev/null || need openssl
    smtp_folder=$(mktemp -d /tmp/tanya-smtp.XXXXXX)
    make_certificates "$smtp_folder"
    say "starting aiosmtpd $version"
    : >"$smtp_folder/spool.jsonl"
    "$venv/bin/python" tests/data/smtp/server.py --certificate "$smtp_folder/server.pem" --key "$smtp_folder/server.key" \
        --user tanya --password rahsia/1 --spool "$smtp_folder/spool.jsonl" \
        >"$smtp_folder/port" 2>"$smtp_folder/log" </dev/null &
    smtp_pid=$!
    local tries=0
    until [ -s "$smtp_folder/port" ]; do
        tries=$((tries + 1))
        if [ "$tries" -gt 200 ] || ! kill -0 "$smtp_pid" 2>/dev/null; then
            printf 'aiosmtpd does not start:\n' >&2
            cat "$smtp_folder/log" >&2
            return 1
        fi
        sleep 0.1
    done
    TANYA_TEST_SMTP="smtp://tanya:rahsia%2F1@localhost:$(cat "$smtp_folder/port")?tls=required"
    export TANYA_TEST_SMTP
    export TANYA_TEST_SMTP_CA="$smtp_folder/ca.pem"
    export TANYA_TEST_SMTP_SPOOL="$smtp_folder/spool.jsonl"
}

# Makes an authority (ca.pem) and a certificate of it for this machine (server.pem, server.key), for a week.
make_certificates() {
    local curve=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    printf '%s\n' subjectAltName=DNS:localhost,IP:127.0.0.1 basicConstraints=CA:FALSE extendedKeyUsage=serverAuth \
        >"$1/server.ext"
    {
        openssl req -x509 "${curve[@]}" -keyout "$1/ca.key" -out "$1/ca.pem" -days 7 -subj "/CN=Tanya test authority" &&
            openssl req "${curve[@]}" -keyout "$1/server.key" -out "$1/server.csr" -subj /CN=localhost &&
            openssl x509 -req -in "$1/server.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -set_serial 1 -days 7 \
                -extfile "$1/server.ext" -out "$1/server.pem"
    } 2>"$1/openssl.log" || {
        cat "$1/openssl.log" >&2
        return 1
    }
}

stop_smtp() {
    [ -n "${smtp_folder:-}" ] || return 0
    if [ -n "${smtp_pid:-}" ]; then
        kill "$smtp_pid" 2>/dev/null || true
        wait "$smtp_pid" 2>/dev/null || true
    fi
    rm -rf "$smtp_folder"
}

# Fetches the accessibility checker into target/, once; sets TANYA_TEST_AXE.
fetch_axe() {
    local version=4.10.3
    local file="$PWD/target/axe-$version.min.js"
    if [ ! -f "$file" ]; then
        command -v npm >/dev/null || need npm
        say "fetching axe-core $version"
        local folder
        folder=$(mktemp -d)
        (cd "$folder" && npm pack --silent "axe-core@$version" >/dev/null && tar xzf axe-core-*.tgz)
        mkdir -p target
        cp "$folder/package/axe.min.js" "$file"
        rm -rf "$folder"
    fi
    export TANYA_TEST_AXE="$file"
}
