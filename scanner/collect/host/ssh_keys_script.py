"""The fragment that finds the keys around SSH. Of a private key only the words of its head leave the host."""

from scanner.collect.host.sshd_script import STRANGER

PRIVATE_NAMES = ("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk")
"""What private keys are called by default. Where sudo has to help, only these are looked for."""

UNLOCKED = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUA"
"""How OpenSSH's own form of a private key without a passphrase begins."""

_TYPES = "-e ssh-ed25519 -e ssh-rsa -e ssh-dss -e ecdsa-sha2-nistp"
_HEADS = (
    "-e BEGIN.RSA.PRIVATE.KEY -e BEGIN.DSA.PRIVATE.KEY -e BEGIN.EC.PRIVATE.KEY -e BEGIN.PRIVATE.KEY "
    "-e BEGIN.ENCRYPTED.PRIVATE.KEY -e BEGIN.OPENSSH.PRIVATE.KEY -e 4.ENCRYPTED -e PuTTY-User-Key-File "
    f"-e Encryption..none -e {UNLOCKED} -e {UNLOCKED}{'.' * 38}"
)
"""The heads of private keys. `grep -o` shows these words and nothing of the lines around them; the last takes
in the kind of the key, which stands before all that is secret."""

_LOGIN_NAMES = "( -name authorized_keys -o -name authorized_keys2 )"
_HOMES = "/home /root -maxdepth 3"
FIND_TRUST = (
    f"find {_HOMES} ( -name .rhosts -o -name .shosts -o -type l -name .ssh -o -type l {_LOGIN_NAMES} )"
)
FIND_LOGIN = f"find {_HOMES} -type f {_LOGIN_NAMES} -size -2049 -exec grep -nH {_TYPES} {{}} +"
FIND_PRIVATE = (
    f"find {_HOMES} -type f ( " + " -o ".join(f"-name {one}" for one in PRIVATE_NAMES) + " ) "
    f"-size -65 -exec grep -oH {_HEADS} {{}} +"
)
"""The three searches that sudo may allow: fixed to the last word, and they open no link. The first names
links, behind which the others do not look."""

_KEYS = r"""
function tell(file, number, text,   options, origin, quoted, part, i, c) {
  sub(/^[ \t]+/, "", text); sub(/[ \t\r]+$/, "", text)
  if (text == "" || text ~ /^#/) return
  if (++told > 5000) { if (told == 5001) print "more"; return }
  options = ""
  if (text !~ form) {
    for (i = 1; i <= length(text); i++) {
      c = substr(text, i, 1)
      if (c == "\\") i++
      else if (c == "\"") quoted = !quoted
      else if (!quoted && (c == " " || c == "\t")) break
    }
    options = substr(text, 1, i - 1); text = substr(text, i); sub(/^[ \t]+/, "", text)
  }
  if (text !~ form) { print "odd-line\t" file "\t" number; return }
  if (match(options, /(^|,)[Ff][Rr][Oo][Mm]="[^"]*"/)) {
    origin = substr(options, RSTART, RLENGTH); sub(/^[^"]*"/, "", origin); sub(/"$/, "", origin)
  }
  gsub(/="([^"\\]|\\.)*"/, "=", options)
  # A value without its quotes: the name is all that may leave the host.
  gsub(/=[^,]*/, "=", options)
  split(text, part, /[ \t]+/)
  sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]*/, "", text)
  gsub(/\t/, " ", text); gsub(/\t/, " ", origin); gsub(/[ \t]/, "", options)
  print "key\t" file "\t" number "\t" part[1] "\t" part[2] "\t" tolower(options) "\t" origin "\t" \
    substr(text, 1, 200)
}
BEGIN { form = "^[a-z][a-z0-9@.-]*[ \t]+AAAA[A-Za-z0-9+/=]+" }
!sudo { tell(FILENAME, FNR, $0); next }
!/^login\t/ { if ($0 != "") print; next }
{
  # file:number:line, as grep -nH writes it.
  line = substr($0, 7)
  match(line, /:[0-9]+:/)
  number = substr(line, RSTART + 1, RLENGTH - 2)
  if (RSTART) tell(substr(line, 1, RSTART - 1), number, substr(line, RSTART + RLENGTH))
}
"""
"""Takes lines of authorized_keys apart, for awk; the values of options but `from=` stay on the host."""

_SCRIPT = r"""
tab='	'
line='
'
sshd_files=/etc/ssh/sshd_config
for one in /etc/ssh/sshd_config.d/*.conf; do [ -e "$one" ] && sshd_files="$sshd_files $one"; done
for one in $sshd_files; do
  [ -r "$one" ] || { [ -e "$one" ] && printf 'unread\t%s\n' "$one"; sshd_files=; break; }
done
if [ -n "$sshd_files" ]; then patterns=$(cat $sshd_files)
else
  patterns=$(as_root sshd -T -f /etc/ssh/sshd_config -C @CONNECTION@ 2>/dev/null) &&
    printf 'settings\n'
fi
# Every file that might hold keys of an account, and every folder in which people keep theirs.
list=$(printf '%s\n' "$patterns" | awk '
  FNR == NR {
    gsub(/["=]/, " ")
    if (tolower($1) == "match") block = 1
    if (tolower($1) != "authorizedkeysfile") next
    for (i = 2; i <= NF && $i !~ /^#/; i++) if ($i != "none" && !($i in known)) { known[$i]; want[++n] = $i }
    if (!block) named = 1
    next
  }
  FNR == 1 {
    if (!named) { want[++n] = ".ssh/authorized_keys"; want[++n] = ".ssh/authorized_keys2" }
    for (i = 1; i <= n; i++) print "pattern\t" want[i]
  }
  { split($0, f, ":") }
  f[1] ~ /^[+#-]/ || f[1] == "" || f[6] !~ /^\// { next }
  ++accounts > 2000 { print "more"; exit }
  {
    home = f[6] == "/" ? "" : f[6]
    print "home\t" f[1] "\t" home
    for (i = 1; i <= n; i++) {
      path = want[i]; out = ""
      while ((at = index(path, "%")) > 0) {
        token = substr(path, at + 1, 1)
        put = token == "h" ? f[6] : token == "u" ? f[1] : token == "U" ? f[3] : token == "%" ? "%" : "?"
        out = out substr(path, 1, at - 1) put; path = substr(path, at + 2)
      }
      out = out path
      print "keys\t" f[1] "\t" (out ~ /^\// ? out : home "/" out)
    }
  }' - /etc/passwd)
login= private= denied= trust= private_count=0
# Nothing in this loop starts a program: thousands of accounts cost a few milliseconds.
look() {
  if [ -f "$2" ]; then
    if [ -r "$2" ]; then printf 'file\t%s\t%s\n' "$1" "$2"; login="$login$2$line"
    else hidden "$1" "$2"; fi
    return
  fi
  [ -e "$2" ] && { printf 'odd\t%s\t%s\n' "$1" "$2"; return; }
  above=${2%/*}
  if [ -x "${above:-/}" ]; then return; fi
  [ -e "$above" ] || { above=${above%/*}; [ -x "${above:-/}" ] && return; [ -e "$above" ] || return 0; }
  hidden "$1" "$2"
}
hidden() { denied=yes; printf 'hidden\t%s\t%s\n' "$1" "$2"; }
home() {
  for one in .rhosts .shosts; do
    [ -e "$2/$one" ] && printf 'trust\t%s\t%s\n' "$1" "$2/$one"
  done
  [ -e "${2:-/}" ] || return 0
  [ -L "$2" ] && printf 'linked\t%s\n' "$2"
  [ -x "${2:-/}" ] || { denied=yes; printf 'closed\t%s\t%s\n' "$1" "$2"; return; }
  [ -d "$2/.ssh" ] || return 0
  if [ -r "$2/.ssh" ] && [ -x "$2/.ssh" ]; then
    for one in "$2"/.ssh/* "$2"/.ssh/.[!.]* "$2"/.ssh/*/*; do
      case $one in *"$line"*|*"$tab"*) printf 'odd\t%s\t%s\n' "$1" "$2/.ssh"; continue ;; esac
      case ${one#"$2"/.ssh/} in */*) [ ! -L "${one%/*}" ] || continue ;; esac
      case ${one##*/} in *.pub|authorized_keys*|known_hosts*|config|environment|rc) continue ;; esac
      [ -f "$one" ] || continue
      [ "$private_count" -lt 2000 ] || { printf 'more\n'; return; }
      private_count=$((private_count + 1))
      if [ -r "$one" ]; then printf 'inside\t%s\t%s\n' "$1" "$one"; private="$private$one$line"
      else denied=yes; printf 'closed\t%s\t%s\n' "$1" "$one"; fi
    done
  else denied=yes; printf 'closed\t%s\t%s\n' "$1" "$2/.ssh"; fi
}
printf '%s\n' "$list" | {
while IFS=$tab read -r word name path; do
  case $word in
    home) home "$name" "$path" ;;
    keys) look "$name" "$path" ;;
    *) printf '%s\t%s\n' "$word" "$name" ;;
  esac
done
for one in /etc/hosts.equiv /etc/shosts.equiv /etc/ssh/shosts.equiv; do
  [ -e "$one" ] && printf 'trust\t\t%s\n' "$one"
done
set -f; IFS=$line
if [ -n "$login" ]; then
  login=$(printf '%s' "$login" | awk '!seen[$0]++')
  # What the kernel makes up has no size, and may keep its reader waiting for ever.
  find -L $login -maxdepth 0 -type f -size -2049 -exec stat -L -c "stat$tab%a$tab%U$tab%Y$tab%n" {} + \
    -size +0 -exec awk '@KEYS@' {} + 2>/dev/null
fi
if [ -n "$private" ]; then
  find -L $private -maxdepth 0 -type f -size -65 -size +0 -exec stat -L -c "own$tab%a$tab%U$tab%n" {} + \
    -exec grep -oH @HEADS@ {} + 2>/dev/null | sed "/^own$tab/!s/^/head$tab/"
fi
unset IFS; set +f
for one in /etc/ssh/ssh_host_*_key.pub; do
  [ -r "$one" ] || continue
  kind= blob=
  read -r kind blob rest <"$one"
  [ -z "$blob" ] || printf 'host\t%s\t%s\t%s\n' "${one%.pub}" "$kind" "$blob"
done
[ -n "$denied" ] && [ "$ROOT" = sudo ] || exit 0
sudo_find() {
  word=$1; shift
  set -f
  found=$(as_root $* 2>/dev/null)
  ended=$?
  set +f
  # grep ends with 1 where it found nothing, and find with it.
  [ "$ended" -le 1 ] || return
  printf 'searched\t%s\n' "$word"
  [ -z "$found" ] || printf '%s\n' "$found" | head -n 5000 | sed "s/^/$word$tab/"
}
sudo_find names '@FIND_TRUST@'
sudo_find heads '@FIND_PRIVATE@'
sudo_find login '@FIND_LOGIN@' | awk -v sudo=1 '@KEYS@'
}
exit 0
"""
SCRIPT = (
    _SCRIPT.replace("@KEYS@", _KEYS.strip())
    .replace("@HEADS@", _HEADS)
    .replace("@CONNECTION@", STRANGER)
    .replace("@FIND_TRUST@", FIND_TRUST)
    .replace("@FIND_LOGIN@", FIND_LOGIN)
    .replace("@FIND_PRIVATE@", FIND_PRIVATE)
)
"""Prints one line for each thing found, with a word in front that names it."""
