/** The answer to "what now?": commands to look around, to break something, and to watch it heal. */
import { relative } from 'node:path';
import type { StateFolder } from './state-folder.ts';

export function whatNow(folder: StateFolder, hosts: 'systemd' | 'local', first: string): string {
  const kubeconfig = relative(process.cwd(), folder.at('kubeconfig'));
  const common = `
Look around, in another terminal (any kubectl will do):

  export KUBECONFIG=${kubeconfig}
  kubectl get machines.kubenode.io,kncs              hosts, and what is being rolled out
  kubectl describe machines.kubenode.io ${first}             all that is known of one
  npx kubenode tree ${first}                         its components, one line each
  npx kubenode why ${first}                          why it is where it is, and what happens next
`;
  const lab = relative(process.cwd(), folder.at('lab'));
  const systemd = `
Break something, and watch it heal:

  kubectl get machines.kubenode.io -w                leave this open
  npm run lab -- --lab ${lab} exec ${first} -- systemctl stop chrony.service
  npm run lab -- --lab ${lab} exec ${first} -- sh -c 'echo broken >> /etc/containerd/config.toml'
`;
  const root = relative(process.cwd(), folder.at('hosts', first, 'root'));
  const local = `
Break something, and watch it heal:

  kubectl get machines.kubenode.io -w                leave this open
  echo broken >> ${root}/etc/demo/settings.json
  pkill -f ${root}/opt/demo/heartbeat.mjs
`;
  return `${common}${hosts === 'systemd' ? systemd : local}
Ctrl-C ends it; npm start goes on where it was, npm start -- --reset begins afresh.`;
}
