/** Which services run on a host, as lines that can be compared: a service that was stopped, started or restarted has another line. */
import type { LabHost } from '@kubenode/lab';

/** Unit name to `main process, run`; only services that have a main process. What systemd starts on demand (instances) is left out. */
export async function processesOf(host: LabHost): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await host.exec([
    'systemctl',
    'show',
    '--type=service',
    '--property=Id,MainPID,InvocationID',
    '*',
  ]);
  const running = new Map<string, string>();
  for (const block of stdout.split('\n\n')) {
    const fields = new Map(block.split('\n').map((line) => [line.split('=')[0], line.split('=')[1]]));
    const [id, pid] = [fields.get('Id'), fields.get('MainPID')];
    if (id === undefined || pid === undefined || pid === '0' || id.includes('@')) continue;
    running.set(id, `process ${pid}, run ${fields.get('InvocationID') ?? ''}`);
  }
  return running;
}
