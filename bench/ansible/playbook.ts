/** The content as Ansible brings it: an inventory, a configuration and one playbook, written to files. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lab } from '@kubenode/lab';
import type { Content, ContentFile } from './content.ts';

/**
 * Writes everything into a folder. Written as a person who knows Ansible would for speed: no facts gathered, pipelining, one connection a
 * host kept open, as many forks as hosts, both packages in one task, downloads and unpacking only where something is missing.
 */
export async function writePlaybook(
  folder: string,
  lab: Lab,
  content: Content,
  files: readonly ContentFile[],
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const hosts = lab.hosts.map(({ name, address }) => `${name} ansible_host=${address}`);
  await writeFile(
    join(folder, 'hosts'),
    `[all]\n${hosts.join('\n')}\n[all:vars]
ansible_user=root
ansible_python_interpreter=/usr/bin/python3
ansible_ssh_private_key_file=${lab.sshKey}
ansible_ssh_common_args='-o UserKnownHostsFile=${join(lab.dir, 'known_hosts')} -o StrictHostKeyChecking=yes'
`,
  );
  await writeFile(
    join(folder, 'ansible.cfg'),
    `[defaults]
inventory = hosts
forks = ${lab.hosts.length}
gathering = explicit
nocows = true
retry_files_enabled = false
local_tmp = ${join(folder, 'tmp')}
[ssh_connection]
pipelining = true
ssh_args = -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = ${join(folder, 'cp')}
`,
  );
  // JSON is YAML, and needs no care for quotes.
  await writeFile(join(folder, 'site.yml'), JSON.stringify([play(content, files)], undefined, 2));
}

function play({ archive, unit, debs }: Content, files: readonly ContentFile[]): unknown {
  const version = archive.digest.slice('sha256:'.length, 'sha256:'.length + 12);
  const download = `/var/cache/bench-${version}.tar.gz`;
  return {
    hosts: 'all',
    gather_facts: false,
    tasks: [
      {
        name: 'archive',
        get_url: { url: archive.url, dest: download, checksum: archive.digest, mode: '0644' },
        register: 'archive',
      },
      {
        name: 'unpacked',
        unarchive: { src: download, dest: '/usr/local', remote_src: true },
        when: 'archive is changed',
        notify: 'restart',
      },
      {
        name: 'unit',
        copy: { content: unit.content, dest: `/etc/systemd/system/${unit.name}`, mode: '0644' },
        notify: 'restart',
      },
      {
        name: 'packages',
        apt: {
          name: debs.map(({ name, version }) => `${name}=${version}`),
          install_recommends: false,
          update_cache: true,
          cache_valid_time: 86_400,
        },
      },
      ...files.map(({ path, content, component }) => ({
        name: component,
        copy: { content, dest: path, mode: '0644' },
      })),
      { meta: 'flush_handlers' },
      { name: 'service', systemd: { name: unit.name, state: 'started', enabled: true } },
      {
        name: 'health',
        uri: { url: 'http://127.0.0.1:9100/metrics' },
        register: 'health',
        until: 'health is succeeded',
        retries: 20,
        delay: 0.5,
      },
    ],
    handlers: [{ name: 'restart', systemd: { name: unit.name, state: 'restarted', daemon_reload: true } }],
  };
}
