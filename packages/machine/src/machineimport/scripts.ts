/**
 * Programs for a host's shell (POSIX sh, as little else as can be). They are constants: data reaches them as $1, $2 ... or on stdin.
 */

/**
 * $1 agents folder, $2 state folder, $3 etc folder, $4 config file, $5 machine-id, $6 systemd's run folder, $7 unit. Prints `key value`
 * lines; what cannot be found out is left out.
 */
export const inspectScript = `
echo "os $(uname -s)"
echo "arch $(uname -m)"
echo "kernel $(uname -r)"
echo "time $(date +%s)"
[ -r "$5" ] && echo "machineID $(cat "$5")"
[ -d "$6" ] && echo "systemd yes"
command -v sha256sum >/dev/null && echo "sha256sum yes"
libc=$(getconf GNU_LIBC_VERSION 2>/dev/null) && echo "glibc \${libc#glibc }"
free() {
  folder=$2
  while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
  kib=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
  [ -n "$kib" ] && echo "free.$1 $kib"
  [ -w "$folder" ] || echo "readonly.$1 $folder"
}
free agents "$1"
free state "$2"
free etc "$3"
[ -d "$6" ] && command -v systemctl >/dev/null && echo "agent $(systemctl is-active "$7")"
[ -e "$3/pki/agent.crt" ] && echo "identity yes"
[ -r "$4" ] && echo "config $(tr -d '\\n' <"$4")"
exit 0
`;

/** What both scripts below share: the programs that can fetch, in order, and the checks around them. */
const fetchFunctions = `
sum() { sha256sum "$1" | cut -d ' ' -f 1; }
# $1 url, $2 file. Status 10: nothing here can fetch; 11: it failed.
fetch() {
  case $1 in
    http://*) plain=yes ;;
    https://*) plain=no ;;
    *) echo "$1 is neither http nor https" >&2; return 11 ;;
  esac
  if command -v curl >/dev/null; then
    curl -fsSL --connect-timeout 15 --speed-limit 1024 --speed-time 30 -o "$2" "$1" || return 11
  elif command -v wget >/dev/null; then
    # Without it GNU wget tries twenty times; busybox has no such option.
    case $(wget --help 2>&1) in *--tries*) tries=--tries=2 ;; *) tries= ;; esac
    wget -q -T 30 $tries -O "$2" "$1" || { echo "wget could not fetch $1" >&2; return 11; }
  elif command -v python3 >/dev/null; then
    python3 -c '
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=30) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)
' "$1" "$2" 2>&1 | tail -n 1 >&2
    [ -s "$2" ] || return 11
  elif [ $plain = yes ] && command -v perl >/dev/null && perl -MIO::Socket::INET -e 1 2>/dev/null; then
    perl -MIO::Socket::INET -e '
my ($host, $port, $path) = $ARGV[0] =~ m{^http://(\\[[^\\]]+\\]|[^:/]+)(?::(\\d+))?(/.*)?$} or die "no address: $ARGV[0]\\n";
my $name = $host =~ s/^\\[|\\]$//gr;
my $class = eval { require IO::Socket::IP; 1 } ? "IO::Socket::IP" : "IO::Socket::INET";
my $socket = $class->new(PeerHost => $name, PeerPort => $port || 80, Proto => "tcp", Timeout => 15) or die "cannot connect to $host: $@\\n";
binmode $socket;
print $socket "GET " . ($path || "/") . " HTTP/1.0\\r\\nHost: $host\\r\\n\\r\\n";
$socket->flush;
my $status = <$socket>;
$status =~ m{^HTTP/1\\.\\d 200 } or die "the answer is: $status";
while (my $line = <$socket>) { last if $line =~ /^\\r?\\n$/ }
open my $file, ">:raw", $ARGV[1] or die "$ARGV[1]: $!\\n";
while (1) {
  local $SIG{ALRM} = sub { die "nothing came for 30 s\\n" };
  alarm 30;
  my $read = read $socket, my $chunk, 1 << 20;
  alarm 0;
  last unless $read;
  print $file $chunk or die "$ARGV[1]: $!\\n";
}
close $file or die "$ARGV[1]: $!\\n";
' "$1" "$2" || return 11
  elif [ $plain = yes ] && command -v bash >/dev/null; then
    bash --norc --noprofile -c '
rest=\${1#http://}
server=\${rest%%/*}
path=\${rest#"$server"}
path=\${path:-/}
port=\${server##*:}
host=\${server%:*}
[ "$port" = "$server" ] && port=80
host=\${host#[}
host=\${host%]}
exec 3<>"/dev/tcp/$host/$port" || exit 1
printf "GET %s HTTP/1.0\\r\\nHost: %s\\r\\n\\r\\n" "$path" "$server" >&3
IFS= read -r -t 30 status <&3
case $status in HTTP/1.?" 200 "*) ;; *) echo "the answer is: $status" >&2; exit 1 ;; esac
cr=$(printf "\\r")
while IFS= read -r -t 30 line <&3 && [ "$line" != "$cr" ] && [ -n "$line" ]; do :; done
cat <&3 >"$2"
' bash "$1" "$2" || return 11
  else
    echo "there is no curl, wget, python3, perl or bash here that could fetch $1" >&2
    return 10
  fi
}
# $1 file, $2 digest, $3 where it came from. Status 12: it is something else.
check() {
  found=$(sum "$1")
  if [ "$found" != "$2" ]; then
    echo "what came from $3 has the digest sha256:$found and not sha256:$2" >&2
    return 12
  fi
}
`;

/**
 * $1 url (or - to read the file from stdin), $2 hex digits of its sha256, $3 path. There whole and right, or not at all. Prints `present` where it
 * was there already. Status 10: nothing can fetch; 11: fetching failed; 12: another digest; else the file system's refusal.
 */
export const fetchScript = `set -u
${fetchFunctions}
# What a run of an operator that was killed has left; it may still go on, and fails then.
rm -f -- "$3".part*
if [ -f "$3" ] && [ "$(sum "$3")" = "$2" ]; then
  [ -x "$3" ] || chmod 0755 "$3" || exit
  echo present
  exit 0
fi
set -e
mkdir -p -- "$(dirname -- "$3")"
part="$3.part.$$"
trap 'rm -f -- "$part"' EXIT
if [ "$1" = - ]; then
  cat >"$part"
  check "$part" "$2" "the operator, over ssh"
else
  fetch "$1" "$part"
  check "$part" "$2" "$1"
fi
chmod 0755 "$part"
sync "$part" 2>/dev/null || sync
mv -f -- "$part" "$3"
`;

/**
 * $1 target, $2 link. Switched at once: there is no moment without it, also where the run of an operator that was killed goes on beside it. The
 * second way is for an mv that knows no -T.
 */
export const linkScript = `set -eu
new="$2.kubenode-new.$$"
rm -f -- "$2".kubenode-new*
ln -s -- "$1" "$new"
mv -fT -- "$new" "$2" 2>/dev/null && exit
[ -L "$new" ] || { echo "another run took $new away" >&2; exit 1; }
rm -f -- "$2"
mv -f -- "$new" "$2"
`;

/** $1 KiB that are needed, $2 name of the folder. Prints a folder in memory (else in /var/tmp) from which programs may run. */
export const scratchScript = `set -u
for base in /run /dev/shm /tmp /var/tmp; do
  [ -d "$base" ] || continue
  [ "$base" = /var/tmp ] || [ "$(stat -f -c %T "$base" 2>/dev/null)" = tmpfs ] || continue
  kib=$(df -Pk "$base" | awk 'NR == 2 { print $4 }')
  [ "\${kib:-0}" -ge "$1" ] || continue
  folder="$base/$2"
  rm -rf -- "$folder"
  mkdir -m 0700 -- "$folder" 2>/dev/null || continue
  printf '#!/bin/sh\\nexit 0\\n' >"$folder/try"
  chmod 0700 "$folder/try"
  if "$folder/try" 2>/dev/null; then
    rm -f -- "$folder/try"
    echo "$folder"
    exit 0
  fi
  rm -rf -- "$folder"
done
echo "no folder in memory has room for $1 KiB and lets programs run" >&2
exit 1
`;

/** $1 name of a folder that scratchScript made. */
export const removeScratchScript = `for base in /run /dev/shm /tmp /var/tmp; do rm -rf -- "$base/$1"; done`;

/** $1 program, $2 config, $3 pid file, $4 log. For hosts without systemd: runs once, in a session of its own. */
export const startWithoutSystemdScript = `set -eu
if [ -r "$3" ] && kill -0 "$(cat "$3")" 2>/dev/null; then kill "$(cat "$3")" || true; sleep 1; fi
if command -v setsid >/dev/null; then setsid "$1" run --config "$2" </dev/null >>"$4" 2>&1 &
else nohup "$1" run --config "$2" </dev/null >>"$4" 2>&1 &
fi
echo $! >"$3"
`;

/** $1 pid file. Stops the agent and waits for its end, 20 s at most. */
export const stopWithoutSystemdScript = `set -u
[ -r "$1" ] || exit 0
pid=$(cat "$1")
kill "$pid" 2>/dev/null || { rm -f -- "$1"; exit 0; }
tries=0
while kill -0 "$pid" 2>/dev/null && [ $tries -lt 20 ]; do sleep 1; tries=$((tries + 1)); done
kill -9 "$pid" 2>/dev/null
rm -f -- "$1"
`;
