/** The content on hosts by the commands that nobody can do without: what is above that is what a tool costs. */
import type { LabHost } from '@kubenode/lab';
import { type Content, files } from './content.ts';
import { type Cost, measure } from './measures.ts';

/** All hosts at once, and each one command after the other, as somebody would who knows before what is to be done. */
export async function byHand(hosts: readonly LabHost[], content: Content): Promise<Cost> {
  return await measure(
    hosts,
    () => Promise.resolve(0),
    async () => {
      await Promise.all(hosts.map((host) => bringTo(host, content)));
    },
  );
}

async function bringTo(host: LabHost, { archive, unit, debs }: Content): Promise<void> {
  const get = async (url: string, to: string): Promise<void> => {
    await host.exec(['curl', '--silent', '--fail', '--output', to, url]);
  };
  const write = async (path: string, content: string): Promise<void> => {
    await host.exec(['tee', path], { stdin: content });
  };
  await get(archive.url, '/tmp/archive');
  await host.exec(['sha256sum', '--check'], {
    stdin: `${archive.digest.slice('sha256:'.length)}  /tmp/archive\n`,
  });
  await host.exec(['tar', '-xzf', '/tmp/archive', '-C', '/usr/local']);
  const packages = debs.map(({ name }) => `/tmp/${name}.deb`);
  for (const { name, url } of debs) await get(url, `/tmp/${name}.deb`);
  await host.exec(['dpkg', '-i', ...packages]);
  for (const { path, content } of files) await write(path, content);
  await write(`/etc/systemd/system/${unit.name}`, unit.content);
  await host.exec(['systemctl', 'daemon-reload']);
  await host.exec(['systemctl', 'enable', '--now', unit.name]);
  await host.exec([
    'curl',
    '--silent',
    '--fail',
    '--output',
    '/dev/null',
    '--retry',
    '10',
    '--retry-connrefused',
    '--retry-delay',
    '1',
    'http://127.0.0.1:9100/metrics',
  ]);
}
