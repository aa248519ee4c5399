"""The fragment that finds the SSH servers of a host and asks each for its settings."""

STRANGER = "user=root,host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22"
"""The connection that is asked about where no Match line says otherwise: root, from anywhere."""

SCRIPT = r"""
standard=/etc/ssh/sshd_config
stranger=@STRANGER@
sshd=$(command -v sshd || true)
seen='
'
count=0
# -T needs the host keys and so root; -G (OpenSSH 9.3 and later) needs neither.
ask() {
  connection=$1; shift
  said=$(as_root "$sshd" -T "$@" -C "$connection" 2>&1) && { printf '%s\n' "$said"; return 0; }
  ended=$?
  other=$("$sshd" -G "$@" -C "$connection" 2>/dev/null) && [ -n "$other" ] && {
    printf '%s\n' "$other"; return 0; }
  [ "$ended" = 126 ] && said='root may read its settings, this login may not'
  printf 'failed %s %s\n' "$ended" "$(printf '%s\n' "$said" | tail -n 1)"
}
# One line for each Match line: what a connection to which it applies looks like.
connections() {
  awk -v passwd=/etc/passwd -v group=/etc/group '
  function first(list,   parts, n, i, p) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) {
      p = parts[i]
      if (p !~ /^!/) { gsub(/\*/, "", p); gsub(/\?/, "a", p); if (p != "") return p }
    }
    return ""
  }
  function network(list,   parts, n, i, p) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) {
      p = parts[i]
      if (p !~ /^!/) { sub(/\/.*/, "", p); gsub(/[*?]/, "1", p); return p }
    }
    return ""
  }
  function member(name,   line, f, m, id, found) {
    while ((getline line < group) > 0) {
      split(line, f, ":")
      if (f[1] == name) { id = f[3]; split(f[4], m, ","); found = m[1] }
    }
    close(group)
    if (found == "" && id != "") {
      while ((getline line < passwd) > 0) { split(line, f, ":"); if (f[4] == id) found = f[1] }
      close(passwd)
    }
    return found
  }
  tolower($1) == "include" { $1 = ""; sub(/^ /, ""); print "include\t" $0; next }
  {
    line = $0; sub(/^[ \t]+/, "", line); sub(/[ \t]*#.*/, "", line); shown = line
    gsub(/[="\t]/, " ", line); n = split(line, w, " ")
    user = "root"; host = "client.invalid"; addr = "192.0.2.1"; laddr = "192.0.2.2"; lport = "22"; bad = ""
    for (i = 2; i <= n; i++) {
      word = tolower(w[i])
      if (word == "all") continue
      value = w[++i]
      if (word == "user") user = first(value)
      else if (word == "group") { user = member(first(value)); if (user == "") bad = "nobody" }
      else if (word == "host") host = first(value)
      else if (word == "address") addr = network(value)
      else if (word == "localaddress") laddr = network(value)
      else if (word == "localport") lport = first(value)
      else bad = "unread"
      if (value == "" || user host addr laddr lport ~ /[^A-Za-z0-9._:@$-]/) bad = "unread"
    }
    if (user == "" || host == "" || addr == "" || lport == "") bad = bad == "" ? "unread" : bad
    gsub(/\t/, " ", shown)
    print (bad == "" ? "match" : bad) "\t" user "\t" \
      "user=" user ",host=" host ",addr=" addr ",laddr=" laddr ",lport=" lport "\t" shown
  }'
}
server() {
  config=$1 running=$2 options=$3
  case $seen in *"
$config $options
"*) return ;; esac
  seen="$seen$config $options
"
  count=$((count + 1))
  [ "$count" -le 8 ] || return
  system=no
  [ "$config" = "$standard" ] && case " $options" in *" -p"*) ;; *) system=yes ;; esac
  printf 'server\t%s\t%s\t%s\t%s\n' "$count" "$config" "$running" "$system"
  set -f; set -- -f "$config" $options; set +f
  ask "$stranger" "$@" | sed "s/^/[$count] /"
  folder=
  [ "$config" = "$standard" ] && [ -d /etc/ssh/sshd_config.d ] && folder=/etc/ssh/sshd_config.d
  lines=$(grep -rhi -e match -e include "$config" $folder 2>/dev/null)
  ended=$?
  if [ "$ended" -gt 1 ]; then
    lines=$(as_root grep -rhi -e match -e include "$config" $folder 2>/dev/null)
    ended=$?
  fi
  [ "$ended" -le 1 ] || printf 'lines\t%s\n' "$count"
  part=0
  printf '%s\n' "$lines" | grep -iE '^[[:space:]]*(match|include)[[:space:]]' |
    connections | sort -u | head -n 40 |
  while IFS='	' read -r word user connection shown; do
    case $word in
      include) printf 'include\t%s\t%s\n' "$count" "$user" ;;
      nobody) ;;
      unread) printf 'unread\t%s\t%s\n' "$count" "$shown" ;;
      match)
        part=$((part + 1))
        [ "$part" -le 12 ] || { printf 'unread\t%s\t%s\n' "$count" "$shown"; continue; }
        printf 'match\t%s\t%s\t%s\t%s\n' "$count" "$part" "$user" "$shown"
        ask "$connection" "$@" | sed "s/^/[$count.$part] /" ;;
    esac
  done
}
[ -r /proc/1/comm ] || printf 'hidden\n'
here=$(readlink /proc/self/ns/mnt 2>/dev/null)
for process in $(processes | awk '$2 == "sshd" || $2 == "dropbear" { print $1 ":" $2 }'); do
  pid=${process%%:*}
  there=$(readlink "/proc/$pid/ns/mnt" 2>/dev/null)
  [ -n "$there" ] && [ "$there" != "$here" ] && { printf 'elsewhere\t%s\n' "${process#*:}"; continue; }
  [ "${process#*:}" = dropbear ] && { printf 'dropbear\n'; continue; }
  title=$(tr '\000\n\t' '   ' <"/proc/$pid/cmdline" 2>/dev/null)
  case $title in
    "sshd: "*"[listener]"*) title=${title#sshd: }; title=${title%%\[listener\]*} ;;
    "sshd: /"*) printf 'cut\t%s\n' "$title"; continue ;;
    "sshd: "*|"") continue ;;
  esac
  set -f; set -- $title; set +f
  [ -n "$sshd" ] || sshd=$1
  shift
  config=$standard options=
  while [ $# -gt 0 ]; do
    case $1 in
      -f) config=${2:-}; shift ;;
      -f?*) config=${1#-f} ;;
      -[pohcb]) options="$options $1 ${2:-}"; shift ;;
      -[pohcb]?*) options="$options $1" ;;
      -[CEgku]) shift ;;
    esac
    [ $# -eq 0 ] || shift
  done
  server "$config" yes "${options# }"
done
if [ -n "$sshd" ]; then
  [ "$count" -gt 0 ] || server "$standard" no ''
else
  printf 'none\t%s\n' "$PATH"
fi
exit 0
""".replace("@STRANGER@", STRANGER)
"""Prints `server`, `match`, `unread`, `include` and other lines with tabs, and after `[1] ` or `[1.2] ` the
settings of server 1, and of server 1 for its second Match line."""
