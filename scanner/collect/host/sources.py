"""The repositories of the package manager, and whether their signatures are checked."""

from __future__ import annotations

from checks.facts.host.sources import PackageSource, PackageSources
from checks.facts.snapshot import Gap
from scanner.collect.collector import Collected
from scanner.collect.host.probe import ParseError, Probe, rows

_SCRIPT = r"""
# A login in an address stays on the host.
masked() { sed -E 's#://[^/@[:space:]]*@#://***@#g'; }
if has apt-get; then
  printf 'manager\tapt\n'
  set -- /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources end
  while [ "$1" != end ]; do
    # apt passes over a file whose name has other characters than these.
    case ${1##*/} in
      *[!A-Za-z0-9_.-]*) ;;
      *) if [ -r "$1" ]; then set -- "$@" "$1"; elif [ -e "$1" ]; then printf 'unread\t%s\n' "$1"; fi ;;
    esac
    shift
  done
  shift
  awk '
    function trimmed(s) { gsub(/^[ \t]+|[ \t\r]+$/, "", s); return s }
    function yes(s) { return s ~ /^(yes|true|with|on|enable|0*[1-9][0-9]*)$/ }
    function tell() {
      if (uris != "" && enabled !~ /^(no|false|without|off|disable|0+)$/) {
        n = split(uris, u, " "); m = split(suites, s, " ")
        trust = yes(trusted) || yes(insecure) ? "yes" : "no"
        for (i = 1; i <= n; i++) for (j = 1; j <= m; j++)
          print "source\t" file "\t" u[i] " " s[j] "\t" u[i] "\t" s[j] "\t" trust
      }
      uris = ""; suites = ""; enabled = "yes"; trusted = "no"; insecure = "no"; key = ""
    }
    FNR == 1 { tell(); file = FILENAME }
    FILENAME ~ /\.sources$/ {
      if ($0 ~ /^#/) next
      if ($0 ~ /^[ \t\r]*$/) { tell(); next }
      line = $0
      if (line ~ /^[ \t]/) {
        if (key == "uris") uris = uris " " trimmed(line)
        if (key == "suites") suites = suites " " trimmed(line)
        next
      }
      key = tolower(line); sub(/[ \t]*:.*/, "", key)
      value = line; sub(/^[^:]*:/, "", value); value = trimmed(value)
      if (key == "uris") uris = value
      else if (key == "suites") suites = value
      else if (key == "enabled") enabled = tolower(value)
      else if (key == "trusted") trusted = tolower(value)
      else if (key == "allow-insecure") insecure = tolower(value)
      next
    }
    $1 == "deb" {
      line = $0; trust = "no"
      if (match(line, /^[ \t]*deb[ \t]+\[[^]]*]/)) {
        options = tolower(substr(line, RSTART, RLENGTH)); line = "deb" substr(line, RSTART + RLENGTH)
        gsub(/[][]/, " ", options); gsub(/[ \t]*=[ \t]*/, "=", options)
        n = split(options, o, " ")
        for (i = 1; i <= n; i++)
          if (o[i] ~ /^(trusted|allow-insecure)=/) { sub(/^[^=]*=/, "", o[i]); if (yes(o[i])) trust = "yes" }
      }
      split(line, w, " ")
      print "source\t" file "\t" w[2] " " w[3] "\t" w[2] "\t" w[3] "\t" trust
    }
    END { tell() }' "$@" /dev/null | masked
  has apt-config && apt-config dump 2>/dev/null | awk '
    BEGIN { lax = "^apt::get::allowunauthenticated$|"
      lax = lax "^acquire::allow(downgradetoinsecure|insecure|weak)repositories$" }
    tolower($1) ~ lax {
      v = tolower($2); gsub(/[";]/, "", v)
      if (v ~ /^(yes|true|with|on|enable|0*[1-9][0-9]*)$/) print "unverified\tapt configuration: " $1 " " v }'
elif has dnf || has yum || has zypper; then
  if has zypper; then
    printf 'manager\tzypper\n'
    general=yes
    set -- /etc/zypp/zypp.conf end /etc/zypp/repos.d/*.repo
  else
    printf 'manager\tdnf\n'
    # What neither a repository nor the settings say is not checked: the default of dnf and yum is off.
    general=no
    set -- /usr/share/dnf5/libdnf.conf.d/*.conf /etc/yum.conf /etc/dnf/libdnf5.conf.d/*.conf \
      /etc/dnf/dnf.conf end /etc/yum.repos.d/*.repo
  fi
  set -- "$@" over
  settings=yes
  while [ "$1" != over ]; do
    if [ "$1" = end ]; then settings=
    elif [ ! -e "$1" ]; then :
    elif [ ! -r "$1" ]; then printf 'unread\t%s\n' "$1"
    elif [ "$settings" ]; then
      said=$(awk -F '=' '{ key = $1; gsub(/[ \t]/, "", key) } key ~ /^(pkg_)?gpgcheck$/ { v = $2 }
        END { gsub(/[ \t\r]/, "", v); print v }' "$1")
      case $said in
        0|[Nn][Oo]|[Ff][Aa][Ll][Ss][Ee]|[Oo][Ff][Ff])
          general=no
          printf 'unverified\t%s: gpgcheck is off\n' "$1"
          ;;
        ?*) general=yes ;;
      esac
    else set -- "$@" "$1"; fi
    shift
  done
  shift
  awk -v general="$general" '
    function trimmed(s) { gsub(/^[ \t]+|[ \t\r]+$/, "", s); return s }
    function tell() {
      if (id != "" && enabled !~ /^(0|no|false|off)$/)
        print "source\t" file "\t" id "\t" url "\t\t" (check ~ /^(0|no|false|off)$/ ? "yes" : "no")
      id = ""
    }
    FNR == 1 { tell(); file = FILENAME }
    /^[ \t]*\[/ { tell(); id = $0; gsub(/[][ \t\r]/, "", id); enabled = "1"; check = general; url = ""; next }
    /^[ \t]*[#;]/ { next }
    { key = $0; sub(/=.*/, "", key); key = tolower(trimmed(key))
      value = $0; sub(/^[^=]*=/, "", value); value = trimmed(value)
      if (key == "enabled") enabled = tolower(value)
      else if (key == "gpgcheck" || key == "pkg_gpgcheck") check = tolower(value)
      else if (url == "" && key ~ /^(baseurl|metalink|mirrorlist)$/) { split(value, v, " "); url = v[1] } }
    END { tell() }' "$@" /dev/null | masked
elif has apk; then
  printf 'manager\tapk\n'
  if [ -r /etc/apk/repositories ]; then
    awk '!/^[ \t]*(#|$)/ { sub(/^@[^ \t]*[ \t]+/, ""); print "source\t" FILENAME "\t" $1 "\t" $1 "\t\tno" }' \
      /etc/apk/repositories | masked
  fi
else
  printf 'manager\tnone\n'
fi
exit 0
"""


def parse(text: str) -> Collected:
    """The `PackageSources` in an answer; a file that may not be read is a gap."""
    manager = ""
    sources: list[PackageSource] = []
    unverified: list[str] = []
    gaps: list[Gap] = []
    for row in rows(text):
        match row:
            case ["manager", name] if not manager:
                manager = name
            case ["source", file, name, uri, suite, trusted] if file.startswith("/"):
                sources.append(PackageSource(file, name, uri, suite, trusted != "yes"))
            case ["unverified", setting]:
                unverified.append(setting)
            case ["unread", file]:
                gaps.append(
                    Gap("PackageSources", f"{file} may not be read", where=file, needs=f"sudo: cat {file}")
                )
            case _:
                raise ParseError(f"unexpected line {row[0][:40]!r}")
    if manager == "none":
        return Collected(gaps=(Gap("PackageSources", "none of apt, dnf, zypper and apk is on the host"),))
    if manager not in ("apt", "dnf", "zypper", "apk"):
        raise ParseError("no package manager was told")
    return Collected((PackageSources(manager, tuple(sources), tuple(unverified)),), tuple(gaps))


PROBE = Probe(
    "package-sources",
    (PackageSources,),
    _SCRIPT,
    parse,
    how="sources.list, sources.list.d, apt-config (yum.repos.d, zypp, /etc/apk/repositories)",
    limit=131_072,
)
