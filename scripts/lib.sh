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

# Starts a PostgreSQL cluster that is thrown away, on loopback, never as root; sets TANYA_TEST_POSTGRES.
start_postgres() {
    local port
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
            -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$postgres_folder -c fsync=off -c max_connections=300" \
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
