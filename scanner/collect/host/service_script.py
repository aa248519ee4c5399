"""The fragment that reads the configurations of all servers at once, and what it lets out of them.

Every line goes through one filter on the host that knows which settings are asked about; all others, and
with them passwords and keys, stay there. Of a secret only the fact that it is set comes out.
"""

from __future__ import annotations

import re

FOLDERS = (
    "/etc/nginx",
    "/usr/local/nginx/conf",
    "/etc/apache2",
    "/etc/httpd",
    "/etc/vsftpd",
    "/etc/proftpd",
    "/etc/pure-ftpd",
    "/etc/exports.d",
    "/etc/snmp",
    "/etc/squid",
    "/etc/my.cnf.d",
    "/etc/mysql",
    "/etc/postgresql",
    "/etc/redis",
    "/etc/valkey",
    "/etc/elasticsearch",
    "/etc/opensearch",
)
FILES = (
    "/etc/vsftpd.conf",
    "/etc/proftpd.conf",
    "/etc/exports",
    "/etc/samba/smb.conf",
    "/etc/my.cnf",
    "/etc/redis.conf",
    "/etc/mongod.conf",
    "/etc/mongodb.conf",
    "/var/lib/pgsql/data/pg_hba.conf",
    "/var/lib/pgsql/data/postgresql.conf",
    "/var/lib/pgsql/[0-9]*/data/pg_hba.conf",
    "/var/lib/pgsql/[0-9]*/data/postgresql.conf",
)
PROTECTED = (
    "/etc/elasticsearch/elasticsearch.yml /etc/exports /etc/mongod.conf /etc/my.cnf /etc/my.cnf.d /etc/mysql "
    "/etc/opensearch/opensearch.yml /etc/postgresql /etc/redis /etc/redis.conf /etc/samba/smb.conf "
    "/etc/snmp/snmpd.conf /etc/squid/squid.conf /etc/valkey /etc/vsftpd /etc/vsftpd.conf "
    "/var/lib/pgsql/data/pg_hba.conf /var/lib/pgsql/data/postgresql.conf"
)
"""What an ordinary login may often not read: the one command that sudo is asked for names exactly these."""
PROGRAMS = (
    "nginx|apache2|httpd|vsftpd|proftpd|pure-ftpd|smbd|snmpd|squid|redis-server|valkey-server|mysqld|mariadbd|"
    "postgres|mongod"
)

_KEYWORDS = {
    "NGINX": "include|ssl_protocols|autoindex|server_tokens|listen|server_name|ssl",
    "APACHE": (
        "sslprotocol|sslengine|options|servertokens|include|includeoptional|servername|"
        "<virtualhost|<directory|<location|<directorymatch|<locationmatch|<files|<filesmatch"
    ),
    "APACHE_ENDS": "virtualhost|directory|location|directorymatch|locationmatch|files|filesmatch",
    "VSFTPD": (
        "anonymous_enable|anon_upload_enable|anon_mkdir_write_enable|write_enable|ssl_enable|"
        "force_local_logins_ssl"
    ),
    "SAMBA": (
        "guestok|public|guestonly|onlyguest|maptoguest|serverminprotocol|minprotocol|serversigning|"
        "serversmbencrypt|smbencrypt|readonly|writeable|writable|writeok|include|copy|configfile|"
        "printable|printok"
    ),
    "MYSQL": ("bind[-_]address|(loose[-_])?skip[-_]networking|(loose[-_])?skip[-_]grant[-_]tables"),
    "POSTGRES": "listen_addresses|include|include_dir|include_if_exists|hba_file",
    "REDIS": "bind|protected-mode|port|include",
    "MONGO": "auth|noauth|authorization|bindip|bindipall|bind_ip|bind_ip_all|keyfile",
    "ELASTIC": (
        "network\\.host|http\\.host|network\\.bind_host|http\\.bind_host|xpack\\.security\\.enabled|"
        "plugins\\.security\\.disabled|xpack|network|http|plugins"
    ),
    "COMMUNITIES": (
        "public|private|write|snmp|snmpd|monitor|cisco|manager|admin|default|password|secret|test|community"
    ),
}
"""The settings that are asked about, and the names of communities that everybody tries first."""

_FILTER = r"""
function kind_of(f) {
  if (f ~ /\/(nginx)\//) return "nginx"
  if (f ~ /^\/etc\/(apache2|httpd)\//) return "apache"
  if (f ~ /vsftpd/) return "vsftpd"
  if (f ~ /proftpd/) return "proftpd"
  if (f ~ /^\/etc\/pure-ftpd\/conf\//) return "pureftpd"
  if (f ~ /^\/etc\/exports/) return "exports"
  if (f ~ /^\/etc\/samba\//) return "samba"
  if (f ~ /^\/etc\/snmp\//) return "snmp"
  if (f ~ /^\/etc\/squid\//) return "squid"
  if (f ~ /^\/etc\/(mysql|my\.cnf)/) return "mysql"
  if (f ~ /pg_hba\.conf$/) return "hba"
  if (f ~ /^\/(etc\/postgresql|var\/lib\/pgsql)\//) return "postgres"
  if (f ~ /^\/etc\/(redis|valkey)/) return "redis"
  if (f ~ /^\/etc\/mongod/) return "mongo"
  if (f ~ /^\/etc\/(elastic|open)search\//) return "elastic"
  return ""
}
function tell(what) {
  if (++told[file] == 3000) { print "cut\t" file; return }
  if (told[file] < 3000) { gsub(/\t/, " ", what); print kind "\t" file "\t" substr(what, 1, 400) }
}
function words(text) { gsub(/[ \t\r]+/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text); return text }
function nginx(text,  at, end) {
  # What is quoted may hold a mark of a comment, a comment may hold half a quotation.
  if (text !~ /^[ \t]*include[ \t]/) gsub(/"[^"]*"|'[^']*'/, "\"\"", text)
  gsub(/[;{}]/, "& ", text); sub(/(^|[ \t])#.*/, "", text)
  while (match(text, /[;{}]/)) {
    end = substr(text, RSTART, 1); statement = words(statement " " substr(text, 1, RSTART - 1))
    text = substr(text, RSTART + 1)
    if (end == "{") { split(statement, at, " "); tell("{ " at[1]) }
    else if (end == ";" && statement ~ /^(@NGINX@) /) tell(statement)
    if (end == "}") tell("}")
    statement = ""
  }
  statement = statement " " text
}
function community(name) {
  return tolower(name) ~ /^"?(@COMMUNITIES@)"?$/ ? "default" : "own"
}
function snmp(text,  n, w) {
  n = split(text, w, " "); w[1] = tolower(w[1])
  if (w[1] ~ /^r[ow]community6?$/) tell(w[1] " " community(w[2]) " " (n > 2 ? w[3] : "anywhere"))
  else if (w[1] ~ /^com2sec6?$/) {
    n = w[2] == "-Cn" ? 5 : 3
    tell("com2sec " community(w[n + 1]) " " w[n])
  }
  else if (w[1] ~ /^include(file|dir)$/) tell("include " w[2])
  else if (w[1] ~ /^(r[ow]user|createuser)$/) tell("user")
}
function redis(text,  w) {
  split(text, w, " ")
  w[1] = tolower(w[1])
  if (w[1] ~ /^(@REDIS@)$/) tell(text)
  else if (w[1] == "requirepass" && w[2] !~ /^(""|\047\047)?$/) tell("requirepass")
  else if (w[1] == "aclfile" && w[2] != "\"\"") tell("aclfile")
  else if (w[1] == "user") tell("user " w[2] (text ~ / nopass( |$)/ && text !~ / off( |$)/ ? " nopass" : ""))
}
function hba(text,  at, n, w, i, out) {
  while (match(text, /"[^"]*"/)) {
    at = substr(text, RSTART + 1, RLENGTH - 2); gsub(/ /, "_", at)
    text = substr(text, 1, RSTART - 1) at substr(text, RSTART + RLENGTH)
  }
  n = split(text, w, " ")
  for (i = 1; i <= n && i <= 6; i++) if (w[i] !~ /=/) out = out (i > 1 ? " " : "") w[i]
  tell(out)
}
{
  at = index($0, ":"); name = substr($0, 1, at - 1); line = substr($0, at + 1)
  if (name in skip) next
  if (name != file) {
    if (kind == "nginx" && words(statement) != "") tell("unended")
    file = name; kind = kind_of(file); statement = carried = ""; if (kind) print "file\t" kind "\t" file
  }
  if (kind == "nginx") { nginx(line); next }
  if (kind == "" || line ~ /^[ \t\r]*(#|$)/) next
  text = words(line)
  if (kind == "apache") {
    if (sub(/ ?\\$/, "", text)) { carried = carried text " "; next }
    text = carried text; carried = ""
  }
  low = tolower(text)
}
kind == "apache" && (low ~ /^(@APACHE@) / || low ~ /^<\/(@APACHE_ENDS@)>/) { tell(text) }
kind == "vsftpd" && low ~ /^(@VSFTPD@)=/ { tell(low) }
kind == "proftpd" && low ~ /^(<\/?anonymous|tlsengine |tlsrequired |include )/ { tell(text) }
kind == "pureftpd" && file ~ /\/(NoAnonymous|AnonymousOnly|AnonymousCantUpload|TLS)$/ { tell(text) }
kind == "exports" {
  sub(/ #.*/, "", text)
  if (sub(/\\$/, "", text)) carried = carried " " text
  else { tell(words(carried " " text)); carried = "" }
}
kind == "samba" && low !~ /^;/ {
  if (text ~ /^\[/) tell(text)
  else {
    key = low; sub(/=.*/, "", key); gsub(/ /, "", key)
    if (low ~ /=/ && key ~ /^(@SAMBA@)$/) tell(text)
  }
}
kind == "snmp" { snmp(text) }
kind == "squid" && low ~ /^(http_access |acl [^ ]+ (src|port|method|proto|time) |include |http_port )/ {
  tell(text)
}
kind == "mysql" {
  sub(/ #.*/, "", text); low = tolower(text)
  if (text ~ /^\[/) tell(low)
  else if (low ~ /^(@MYSQL@)( *=|$)/) tell(low)
  else if (text ~ /^!include/) tell(text)
}
kind == "hba" { sub(/ #.*/, "", text); hba(text) }
kind == "postgres" && low ~ /^(@POSTGRES@)[ =]/ { sub(/ *#.*/, "", text); tell(text) }
kind == "redis" { redis(text) }
kind == "mongo" && low ~ /^(@MONGO@) *[:=]/ {
  sub(/ *#.*/, "", text); tell(low ~ /^keyfile/ ? "keyFile: set" : text)
}
kind == "elastic" && low ~ /^"?(@ELASTIC@)"? *:/ { sub(/ #.*/, "", text); tell(text) }
END { if (kind == "nginx" && words(statement) != "") tell("unended") }
"""

SCRIPT = r"""
cat /proc/[0-9]*/comm 2>/dev/null | awk '/^(@PROGRAMS@)$/ && !seen[$0]++ { print "runs\t" $0 }'
IFS='
'
roots= found=
for path in @FOLDERS@; do [ -d "$path" ] && roots="$roots$IFS$path"; done
if [ "$roots" ]; then
  # Modules, sites that are switched off, and keys are no settings.
  found=$(find -L $roots -maxdepth 4 \( -name '*-available' -o -name modules -o -name modules-enabled \
    -o -name certs -o -name private \) -prune -o -type f -size -4096 ! -name '*.load' ! -name '*.pem' \
    ! -name '*.key' ! -name magic ! -name mime.types ! -name '*.keystore' ! -name users ! -name roles \
    -print 2>&1 | head -n 2000)
fi
for path in @FILES@; do
  [ -e "$path" ] && found="$found$IFS$path"
done
if [ -d /var/lib/pgsql ] && ! [ -x /var/lib/pgsql ]; then
  found="$found${IFS}find: /var/lib/pgsql: Permission denied"
fi
[ "$found" ] || { printf 'end\n'; exit 0; }
files= unread=
for path in $found; do
  case $path in
    find:*) path=${path#find: }; path=${path%: *}; path=${path#\'}; path=${path%\'}
      unread="$unread$IFS/${path#/}" ;;
    *) if [ -r "$path" ]; then files="$files$IFS$path"; else unread="$unread$IFS$path"; fi ;;
  esac
done
filter='@FILTER@'
[ "$files" ] && grep -H ^ /dev/null $files 2>/dev/null | awk "$filter"
if [ "$unread" ]; then
  unset IFS
  lines=$(as_root grep -rsH ^ @PROTECTED@)
  if [ $? = 126 ]; then printf '%s\n' "$unread" | sed -n 's/^\//unread	\//p'
  else
    printf '%s\n' "$lines" | awk -v readable="$files" \
      "BEGIN { n = split(readable, list, \"\n\"); for (i = 1; i <= n; i++) skip[list[i]] = 1 } $filter"
    printf '%s\n' "$unread" | sed -n 's/^\//asked	\//p'
  fi
fi
printf 'end\n'
exit 0
"""
_PLACES = {
    **_KEYWORDS,
    "PROGRAMS": PROGRAMS,
    "PROTECTED": PROTECTED,
    "FOLDERS": " ".join(FOLDERS),
    "FILES": " ".join(FILES),
}
SCRIPT = re.sub(
    r"@([A-Z_]+)@",
    lambda found: _PLACES[found[1]],
    SCRIPT.replace("@FILTER@", _FILTER.strip().replace("'", "'\\''")),
)
