#!/bin/sh
# Installs programs of the system where that is possible, and says what goes without them where not.
#   system.sh optional|required PROGRAM[:PACKAGE] ...
set -eu
how=$1
shift
missing=
packages=
for wanted in "$@"; do
    program=${wanted%%:*}
    package=${wanted##*:}
    PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null 2>&1 && continue
    missing="$missing $program"
    packages="$packages $package"
done
[ -n "$missing" ] || exit 0

root=
if [ "$(id -u)" != 0 ]; then
    root="sudo -n"
    $root true 2>/dev/null || root=no
fi
if command -v apt-get >/dev/null 2>&1 && [ "$root" != no ]; then
    echo "Installing with apt:$packages"
    # Nothing that is installed for a scan or a test may start a service of its own.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $root tee $policy >/dev/null
        $root chmod 755 $policy
        trap '$root rm -f $policy' EXIT
    fi
    log=$(mktemp)
    install() {
        # shellcheck disable=SC2086
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages \
            >"$log" 2>&1
    }
    install || { $root apt-get update -qq >/dev/null 2>&1 || true; install; } || {
        tail -n 5 "$log" >&2
        [ "$how" = optional ] || exit 2
    }
    rm -f "$log"
    exit 0
fi
if [ "$how" = required ]; then
    echo "Missing:$missing. Install these packages and try again:$packages" >&2
    exit 2
fi
echo "Going on without:$missing (not Debian, or no right to install); the report says what that costs" >&2
