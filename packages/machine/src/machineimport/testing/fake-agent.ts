/** A host, and an agent for it that does nothing but leave marks: enough for the import, which never looks inside. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AgentBinary } from '../host.ts';

/**
 * The agent writes `ran` beside its configuration when it is started, prints the plan and what was left from files that the test
 * puts there.
 */
const program = `#!/bin/sh
case $1 in
  version) echo 0.0.0-test ;;
  plan) cat >"\${TMPDIR:-/tmp}/kubenode-test-plan-request.$PPID"; rm -f "\${TMPDIR:-/tmp}/kubenode-test-plan-request.$PPID"
    echo '[{"component":"runc","action":"create file","target":"/usr/local/bin/runc","revertible":true}]' ;;
  revert) echo '[{"target":"/etc/motd","reason":"changed since"}]' ;;
  run) echo "started" >>"$3.ran"; exec sleep 600 ;;
esac
`;

export interface AgentSource {
  readonly binary: AgentBinary;
  /** How often it was asked for. */
  requests(): number;
  close(): void;
}

export async function serveAgent(): Promise<AgentSource> {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end(program);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    binary: {
      url: `http://127.0.0.1:${address.port}/kubenode-agent`,
      digest: `sha256:${createHash('sha256').update(program).digest('hex')}`,
    },
    requests: () => requests,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
