"""The fragment that finds the SSH servers of a host and asks each for its settings."""

STRANGER = "user=root,host=client.invalid,addr=192.0.2.1,laddr=192.0.2.2,lport=22"
"""The connection that is asked about where no Match line says otherwise: root, from anywhere."""

ANYBODY = STRANGER.replace("user=root", "user=somebody")
"""The same for an account that no Match line names: one for root alone must not speak for everybody."""

SCRIPT = r"""
standard=/etc/ssh/sshd_config
stranger=@STRANGER@
anybody=@ANYBODY@
sshd=$(command -v sshd || true)
seen='
'
count=0
# -T needs the host keys and so root; -G (OpenSSH 9.3 and later) needs neither, and tells what holds where
# no Match line applies. It takes no connection.
ask() {
  connection=$1; shift
  said=$(as_root "$sshd" -T "$@" -C "$connection" 2>&1) && { printf '%s\n' "$said"; return 0; }
  ended=$?
  [ "$connection" = "$stranger" ] && other=$("$sshd" -G "$@" 2>/dev/null) && [ -n "$other" ] && {
    printf '%s\n' "$other"; return 0; }
  [ "$ended" = 126 ] && said='root may read its settings, this login may not'
  printf 'failed %s %s\n' "$ended" "$(printf '%s\n' "$said" | tail -n 1)"
}
directory=$(grep -E '^group:.*(sss|ldap|winbind|nis|systemd_)' /etc/nsswitch.conf 2>/dev/null)
# One line for each Match line: what a connection to which it applies looks like.
connections() {
  awk -v passwd=/etc/passwd -v group=/etc/group -v directory="$directory" \
    -v anybody="$anybody" '
  function first(list,   parts, n, i, p) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) {
      p = parts[i]
      if (p !~ /^!/) { gsub(/\*/, "", p); gsub(/\?/, "a", p); if (p != "") return p }
    }
    return ""
  }
  # Root, if the list means root too: what root may do is what matters most. Else somebody it means.
  function account(list,   parts, n, i, p, root) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) {
      p = parts[i]
      negated = sub(/^!/, "", p)
      gsub(/[.$]/, "[&]", p); gsub(/\*/, ".*", p); gsub(/\?/, ".", p)
      if ("root" ~ ("^" p "$")) { if (negated) { root = 0; break } root = 1 }
    }
    if (root) return "root"
    p = first(list)
    return p == "" && list ~ /(^|,)\*(,|$)/ ? "somebody" : p
  }
  function network(list,   parts, n, i, p) {
    n = split(list, parts, ",")
    for (i = 1; i <= n; i++) {
      p = parts[i]
      if (p !~ /^!/) {
        sub(/\/.*/, "", p)
        if (p ~ /:/ && p !~ /::/) sub(/\*$/, "1::1", p)
        gsub(/[*?]/, "1", p); return p
      }
    }
    return ""
  }
  # Somebody of these groups, root before others; empty if nobody is, "?" where only sshd could tell.
  function member(list,   line, f, m, n, i, wanted, ids, found, known) {
    if (list ~ /[*?!]/) return "?"
    n = split(list, m, ",")
    for (i = 1; i <= n; i++) wanted[m[i]] = 1
    while ((getline line < group) > 0) {
      split(line, f, ":")
      if (!(f[1] in wanted)) continue
      known++; ids[f[3]] = 1
      n = split(f[4], m, ",")
      for (i = 1; i <= n; i++) if (found == "" || m[i] == "root") found = m[i]
    }
    close(group)
    while ((getline line < passwd) > 0) {
      split(line, f, ":")
      if (f[4] in ids && (found == "" || f[1] == "root")) found = f[1]
    }
    close(passwd)
    if (found == "" && directory) return "?"
    return found
  }
  {
    line = $0; sub(/^[ \t]+/, "", line); sub(/[ \t]*#.*/, "", line); shown = line
    gsub(/[="\t]/, " ", line); n = split(line, w, " ")
    if (tolower(w[1]) == "include") { sub(/^ *[^ ]+ */, "", line); print "include\t" line; next }
    who = 0
    user = "root"; host = "client.invalid"; addr = "192.0.2.1"; laddr = "192.0.2.2"; lport = "22"; bad = ""
    for (i = 2; i <= n; i++) {
      word = tolower(w[i])
      if (word == "all") continue
      value = w[++i]
      if (word == "user") { user = account(value); who = 1 }
      else if (word == "group") {
        who = 1
        user = member(value)
        if (user == "" || user == "?") bad = user == "" ? "nobody" : "unread"
      }
      else if (word == "host") host = first(value)
      else if (word == "address") addr = network(value)
      else if (word == "localaddress") laddr = network(value)
      else if (word == "localport") lport = first(value)
      else bad = "unread"
      if (value == "" || user host addr laddr lport ~ /[^A-Za-z0-9._:@$-]/) bad = "unread"
    }
    if (user == "" || host == "" || addr == "" || lport == "") bad = bad == "" ? "unread" : bad
    gsub(/\t/, " ", shown)
    place = ",host=" host ",addr=" addr ",laddr=" laddr ",lport=" lport
    print (bad == "" ? "match" : bad) "\t" (user == "" ? "-" : user) "\tuser=" user place "\t" shown
    if (bad == "" && !who) others["user=somebody" place "\t" shown] = 1
    if (bad == "" && who && user == "root") apart = 1
  }
  END {
    # A Match line for root hides from a question of root what everybody else gets.
    if (!apart) exit
    print "match\tsomebody\t" anybody "\tlogins of others than root"
    for (one in others) print "match\tsomebody\t" one
  }'
}
# When the server of $pid began, when its pid file was written, and the times of its files: a reload keeps
# the process and its start, but writes the pid file anew.
started() {
  read -r words <"/proc/$pid/stat" || return
  set -f; set -- ${words##*) }; set +f
  ticks=${20:-0} boot=
  while read -r word value; do [ "$word" = btime ] && boot=$value && break; done </proc/stat
  [ -n "$boot" ] || return
  printf 'started\t%s\t%s\n' "$count" "$((boot + ticks / 100))"
  file=/run/sshd.pid named=
  case $answer in *"pidfile "*) file=${answer#*pidfile }; file=${file%%
*} ;; esac
  [ -r "$file" ] && read -r named <"$file"
  [ "$named" = "$pid" ] || file=
  stat -L -c "time	$count	%Y	%n" $file "$config" $folder ${folder:+"$folder"/*.conf} \
    $vendor ${vendor:+"$vendor"/*.conf} 2>/dev/null
  [ -z "$file" ] || printf 'pid\t%s\t%s\n' "$count" "$file"
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
  answer=$(ask "$stranger" "$@")
  printf '%s\n' "$answer" | sed "s/^/[$count] /"
  folder=
  [ -d /etc/ssh/sshd_config.d ] && { [ "$config" = "$standard" ] ||
    grep -q 'sshd_config\.d' "$config" 2>/dev/null; } && folder=/etc/ssh/sshd_config.d
  # SUSE keeps its own part where everybody may read it.
  vendor=/usr/etc/ssh/sshd_config.d
  [ -d "$vendor" ] && { [ "$config" = "$standard" ] || grep -qF "$vendor" "$config" 2>/dev/null; } || vendor=
  [ -z "$pid" ] || started
  lines=$(grep -Rhi -e match -e include "$config" $folder 2>/dev/null)
  ended=$?
  if [ "$ended" -gt 1 ]; then
    lines=$(as_root grep -Rhi -e match -e include "$config" $folder 2>/dev/null)
    ended=$?
  fi
  if [ -n "$vendor" ]; then
    lines="$lines
$(grep -Rhi -e match -e include "$vendor" 2>/dev/null)"
    [ $? -le 1 ] || ended=2
  fi
  [ "$ended" -le 1 ] || printf 'lines\t%s\n' "$count"
  part=0
  printf '%s\n' "$lines" | grep -iE '^[[:space:]]*"?(match|include)["=[:space:]]' |
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
  # What an account calls sshd is neither run nor asked, and root opens none of the files that it names.
  [ "$(stat -c %u "/proc/$pid" 2>/dev/null)" = 0 ] || { printf 'stranger\t%s\n' "$pid"; continue; }
  set -f; set -- $title; set +f
  # The process of a login has become its shell (bash -c ...) since it was listed as sshd.
  [ "${1##*/}" = sshd ] || continue
  [ -n "$sshd" ] || sshd=$1
  shift
  config=$standard options= serves=yes
  while [ $# -gt 0 ]; do
    case $1 in
      -[46DdeGiqRTtV]*)
        # Flags may stand together, before an option with a value. Who is asked for settings serves nobody,
        # and -R is one login only.
        flags=${1%%[!46DdeGiqRTtV-]*} value=${1#-}
        value=${value#"${flags#-}"}
        case $flags in *[GRTtV]*) serves=no ;; esac
        shift; [ -z "$value" ] || set -- "-$value" "$@"
        continue ;;
      -f) config=${2:-}; shift ;;
      -f?*) config=${1#-f} ;;
      -[pohcb]) options="$options $1 ${2:-}"; shift ;;
      -[pohcb]?*) options="$options $1" ;;
      -[CEgku]) shift ;;
    esac
    [ $# -eq 0 ] || shift
  done
  [ "$serves" = yes ] || continue
  server "$config" yes "${options# }"
  pid=
done
if [ -n "$sshd" ]; then
  pid=
  [ "$count" -gt 0 ] || server "$standard" no ''
else
  printf 'none\t%s\n' "$PATH"
fi
exit 0
""".replace("@STRANGER@", STRANGER).replace("@ANYBODY@", ANYBODY)
"""Prints `server`, `match`, `unread`, `started` and other lines with tabs, and after `[1] ` or `[1.2] ` the
settings of server 1, and of server 1 for its second Match line."""
