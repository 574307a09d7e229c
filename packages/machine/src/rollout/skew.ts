import type { RevisionView } from '../member/view.ts';

/** The component that must not be newer than what it reports to. */
const kubelet = 'kubelet';

/**
 * Why a revision must not be brought while the API server has this version; undefined: it may. A kubelet may be older than its API server,
 * never newer (the Kubernetes version skew policy).
 * @param server version of the API server, such as `v1.36.3`; undefined while it is not known
 */
export function skewOf(revision: RevisionView, server: string | undefined): string | undefined {
  if (revision.component !== kubelet) return undefined;
  if (server === undefined) {
    return 'the version of the API server is not known yet, and a kubelet must not be newer than it';
  }
  const [mine, theirs] = [minorOf(revision.version), minorOf(server)];
  // What can't be read is not judged.
  if (mine === undefined || theirs === undefined || mine <= theirs) return undefined;
  return `${revision.name} is kubelet ${revision.version}, newer than the API server, ${server}: upgrade the API server first, or give an older revision`;
}

/** `v1.36.3` as 1036. */
function minorOf(version: string): number | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(version) ?? [];
  return major === undefined || minor === undefined ? undefined : Number(major) * 1000 + Number(minor);
}
