import { run } from '../system/run.ts';

/** The Debian release that hosts are made of; the lab's artifacts and `examples/` fit this one. */
export const debianSuite = 'bookworm';

/**
 * The mirror that this machine's own apt uses for the hosts' Debian release, so that the lab reaches packages just as the machine does;
 * `KUBENODE_DEBIAN_MIRROR` names another.
 * @throws Error where neither is there.
 */
export async function debianMirror(): Promise<string> {
  const named = process.env['KUBENODE_DEBIAN_MIRROR'];
  if (named) return named;
  const targets = await run([
    'apt-get',
    'indextargets',
    '--format',
    '$(SITE) $(RELEASE) $(COMPONENT) $(CREATED_BY)',
  ]).catch(() => '');
  for (const line of targets.split('\n')) {
    const [site, release, component, kind] = line.split(' ');
    if (site !== undefined && release === debianSuite && component === 'main' && kind === 'Packages')
      return site;
  }
  throw new Error(
    `This machine's apt has no source for Debian ${debianSuite}, which the hosts are made of. ` +
      'Name a mirror in KUBENODE_DEBIAN_MIRROR (its address ends in /debian).',
  );
}
