/** The answer to "what now?": commands to look around, to break something and watch it heal, to upgrade. */
import { relative } from 'node:path';
import type { StateFolder } from './state-folder.ts';

/** A command, and what it shows. */
type Row = readonly [command: string, shows?: string];

export function whatNow(folder: StateFolder, hosts: 'systemd' | 'local', first: string): string {
  const at = (...parts: string[]): string => relative(process.cwd(), folder.at(...parts));
  const look: Row[] = [
    [`export KUBECONFIG=${at('kubeconfig')}`],
    ['kubectl get machines.kubenode.io,kncs', 'hosts, and what is being rolled out'],
    [`kubectl describe machines.kubenode.io ${first}`, 'all that is known of one'],
    [`npx kubenode tree ${first}`, 'its components, one line each'],
    [`npx kubenode why ${first}`, 'why it is where it is, and what happens next'],
  ];
  const root = at('hosts', first, 'root');
  const onHost = `npm run lab -- --lab ${at('lab')} exec ${first} --`;
  const harms: Row[] =
    hosts === 'systemd'
      ? [
          [`${onHost} systemctl stop chrony.service`],
          [`${onHost} sh -c 'echo broken >> /etc/containerd/config.toml'`],
        ]
      : [[`echo broken >> ${root}/etc/demo/settings.json`], [`pkill -f ${root}/opt/demo/heartbeat.mjs`]];
  const newer = 'node-exporter-1.12.1-1';
  const upgrade: Row[] = [
    [`npx kubenode plan set/node-exporter --revision ${newer}`, 'what it would do'],
    [`kubectl patch kncs node-exporter --type merge -p '{"spec":{"revision":"${newer}"}}'`],
    ['npx kubenode tree', 'batch by batch, live'],
  ];
  const watch: Row = ['kubectl get machines.kubenode.io -w', 'leave this open'];
  return `
Look around, in another terminal (any kubectl will do):

${table(look)}

Break something, and watch it heal:

${table([watch, ...harms])}
${hosts === 'systemd' ? `\nUpgrade something, batch by batch:\n\n${table(upgrade)}\n` : ''}
Ctrl-C ends it; npm start goes on where it was, npm start -- --reset begins afresh.`;
}

function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([command, shows]) => (shows === undefined ? 0 : command.length)));
  return rows
    .map(([command, shows]) => `  ${shows === undefined ? command : `${command.padEnd(width)}   ${shows}`}`)
    .join('\n');
}
