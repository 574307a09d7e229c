/**
 * Compares two versions as people mean it: runs of digits as numbers, the rest as text, an epoch (`1:`) first, `~` before
 * everything as Debian has it, and a pre-release (`-rc.1`) before its release. Negative, zero or positive.
 */
export function compareVersions(a: string, b: string): number {
  const [epochA, restA] = splitEpoch(a);
  const [epochB, restB] = splitEpoch(b);
  if (epochA !== epochB) return epochA - epochB;
  const left = tokens(restA);
  const right = tokens(restB);
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = compareTokens(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function splitEpoch(version: string): [number, string] {
  const match = /^(\d+):(.*)$/.exec(version);
  return match ? [Number(match[1]), match[2] ?? ''] : [0, version.replace(/^v(?=\d)/, '')];
}

function tokens(version: string): string[] {
  return version.match(/\d+|~|-?[A-Za-z]+/g) ?? [];
}

/** Order of kinds: `~`, pre-release word, nothing, other word, number. */
function rank(token: string | undefined): number {
  if (token === undefined) return 2;
  if (token === '~') return 0;
  if (/^-?(alpha|beta|rc|pre)$/i.test(token)) return 1;
  return /^\d/.test(token) ? 4 : 3;
}

function compareTokens(a: string | undefined, b: string | undefined): number {
  const byRank = rank(a) - rank(b);
  if (byRank !== 0) {
    const zero = (token: string | undefined) => token !== undefined && /^0+$/.test(token);
    return (a === undefined && zero(b)) || (b === undefined && zero(a)) ? 0 : byRank;
  }
  if (a === undefined || b === undefined) return 0;
  if (rank(a) === 4) return Number(a) - Number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}
