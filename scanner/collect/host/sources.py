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
  set -- /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources
  for file in "$@"; do [ ! -e "$file" ] || [ -r "$file" ] || printf 'unread\t%s\n' "$file"; done
  awk '
    function tell() {
      if (uris != "" && enabled != "no") {
        n = split(uris, u, " "); m = split(suites, s, " ")
        for (i = 1; i <= n; i++) for (j = 1; j <= m; j++)
          print "source\t" file "\t" u[i] " " s[j] "\t" u[i] "\t" s[j] "\t" trusted
      }
      uris = ""; suites = ""; enabled = "yes"; trusted = "no"; key = ""
    }
    FNR == 1 { tell(); file = FILENAME }
    FILENAME ~ /\.sources$/ {
      if ($0 ~ /^#/) next
      if ($0 ~ /^[ \t]*$/) { tell(); next }
      line = $0
      if (line ~ /^[ \t]/) {
        if (key == "uris") uris = uris " " line
        if (key == "suites") suites = suites " " line
        next
      }
      key = tolower(line); sub(/:.*/, "", key); value = line; sub(/^[^:]*:[ \t]*/, "", value)
      if (key == "uris") uris = value
      else if (key == "suites") suites = value
      else if (key == "enabled") enabled = tolower(value)
      else if (key == "trusted") trusted = tolower(value)
      next
    }
    $1 == "deb" {
      line = $0; trust = "no"
      if (match(line, /\[[^]]*]/)) {
        options = tolower(substr(line, RSTART, RLENGTH))
        if (options ~ /trusted[ \t]*=[ \t]*yes/) trust = "yes"
        line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
      }
      split(line, w, " ")
      print "source\t" file "\t" w[2] " " w[3] "\t" w[2] "\t" w[3] "\t" trust
    }
    END { tell() }' $(for file in "$@"; do [ -r "$file" ] && printf '%s ' "$file"; done) /dev/null | masked
  has apt-config && apt-config dump 2>/dev/null | awk '
    tolower($1) ~ /^(apt::get::allowunauthenticated|acquire::allow(insecure|weak)repositories)$/ {
      v = tolower($2); gsub(/[";]/, "", v)
      if (v == "true" || v == "1" || v == "yes") print "unverified\tapt configuration: " $1 " " v }'
elif has dnf || has yum || has zypper; then
  if has zypper; then printf 'manager\tzypper\n'; set -- /etc/zypp/repos.d/*.repo
  else printf 'manager\tdnf\n'; set -- /etc/yum.repos.d/*.repo; fi
  for file in "$@"; do [ ! -e "$file" ] || [ -r "$file" ] || printf 'unread\t%s\n' "$file"; done
  general=yes off='^[[:space:]]*(pkg_)?gpgcheck[[:space:]]*=[[:space:]]*(0|no|false|off)'
  for file in /etc/dnf/dnf.conf /etc/yum.conf /etc/zypp/zypp.conf; do
    [ -r "$file" ] && grep -qE "$off" "$file" && {
      general=no; printf 'unverified\t%s: gpgcheck is off\n' "$file"; }
  done
  awk -v general="$general" '
    function tell() {
      if (id != "" && enabled !~ /^(0|no|false|off)$/)
        print "source\t" file "\t" id "\t" url "\t\t" (check ~ /^(0|no|false|off)$/ ? "yes" : "no")
      id = ""
    }
    FNR == 1 { tell(); file = FILENAME }
    /^[ \t]*\[/ { tell(); id = $0; gsub(/[][ \t]/, "", id); enabled = "1"; check = general; url = ""; next }
    /^[ \t]*[#;]/ { next }
    { key = tolower($0); sub(/[ \t]*=.*/, "", key); gsub(/^[ \t]+/, "", key)
      value = $0; sub(/^[^=]*=[ \t]*/, "", value)
      if (key == "enabled") enabled = tolower(value)
      else if (key == "gpgcheck" || key == "pkg_gpgcheck") check = tolower(value)
      else if (url == "" && key ~ /^(baseurl|metalink|mirrorlist)$/) { split(value, v, " "); url = v[1] } }
    END { tell() }' $(for file in "$@"; do [ -r "$file" ] && printf '%s ' "$file"; done) /dev/null | masked
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
