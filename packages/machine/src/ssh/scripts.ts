/**
 * Programs for the remote shell. They are constants: data reaches them as $1, $2 ... or on stdin, never as a part of their text.
 */

/**
 * $1 path, $2 mode in octal, $3 length in bytes; content on stdin. Whole or not at all: a temporary file in the same folder, checked for its
 * length, forced to disk, renamed. It is made with 0600 before data goes in, and is of this run alone: the one of an operator that was killed
 * may still go on.
 */
export const writeFileScript = `set -eu
umask 022
mkdir -p -- "$(dirname -- "$1")"
umask 077
new="$1.kubenode-new.$$"
trap 'rm -f -- "$new"' EXIT
rm -f -- "$1".kubenode-new*
cat >"$new"
if [ "$(wc -c <"$new")" -ne "$3" ]; then
  echo "only a part of the content arrived" >&2
  exit 1
fi
chmod "$2" "$new"
sync "$new" 2>/dev/null || sync
mv -f -- "$new" "$1"
`;
