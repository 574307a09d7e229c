/** What both bring to the hosts: an archive with a unit and a health request, two packages, three files. */
import type { ExampleManifest, LoadedExamples } from '@kubenode/lab';

/** Examples that the archive and the packages are taken from. */
export const exporter = 'node-exporter';
export const packages = ['runc', 'logrotate'] as const;
export const examplesUsed: readonly string[] = [exporter, ...packages];

export interface ContentFile {
  readonly component: string;
  readonly path: string;
  readonly content: string;
}

export const files: readonly ContentFile[] = [
  {
    component: 'bench-sysctl',
    path: '/etc/sysctl.d/90-bench.conf',
    content: 'net.core.somaxconn = 8192\nnet.ipv4.tcp_keepalive_time = 600\n',
  },
  {
    component: 'bench-modules',
    path: '/etc/modprobe.d/90-bench.conf',
    content: 'blacklist pcspkr\nblacklist floppy\n',
  },
  {
    component: 'bench-limits',
    path: '/etc/security/limits.d/90-bench.conf',
    content: '* soft nofile 65536\n* hard nofile 65536\n',
  },
];

/** The file that is changed, as it is afterwards. */
export const changedFile: ContentFile = {
  component: 'bench-sysctl',
  path: '/etc/sysctl.d/90-bench.conf',
  content: 'net.core.somaxconn = 16384\nnet.ipv4.tcp_keepalive_time = 600\n',
};

export interface Content {
  readonly archive: { readonly url: string; readonly digest: string };
  readonly unit: { readonly name: string; readonly content: string };
  readonly debs: readonly { readonly name: string; readonly version: string; readonly url: string }[];
}

/** What the examples say of the archive, its unit and the packages. @throws Error where they changed their form. */
export function contentOf({ components }: LoadedExamples): Content {
  const { archive } = artifactOf(exampleOf(components, exporter));
  const unit = exampleOf(components, exporter).spec['unit'] as Content['unit'];
  if (archive === undefined) throw new Error(`The example ${exporter} is no archive any more.`);
  return {
    archive,
    unit,
    debs: packages.map((name) => {
      const deb = artifactOf(exampleOf(components, name)).package;
      if (deb?.url === undefined) throw new Error(`The example ${name} is no package any more.`);
      return { name: deb.name, version: deb.version, url: deb.url };
    }),
  };
}

/** The first revision of a component among the examples. */
export function exampleOf(components: readonly ExampleManifest[], name: string): ExampleManifest {
  const found = components.find(({ spec }) => spec.component === name);
  if (found === undefined) throw new Error(`There is no example ${name}.`);
  return found;
}

function artifactOf({
  metadata,
  spec,
}: ExampleManifest): NonNullable<ExampleManifest['spec']['artifacts']>[number] {
  const artifact = spec.artifacts?.[0];
  if (artifact === undefined) throw new Error(`The example ${metadata.name} has no artifact.`);
  return artifact;
}
