/** The Kubernetes version whose behaviour is followed; clients decide by it what they may ask for. */
export const VERSION = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.3+kubenode',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
