import { type Conversation, patchTypes } from '../conversation.ts';
import { agentRequest } from './certificate-request.ts';

const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests';
const request = (name: string, spec: Record<string, unknown> = {}) => ({
  apiVersion: 'certificates.k8s.io/v1',
  kind: 'CertificateSigningRequest',
  metadata: { name },
  spec: {
    request: agentRequest,
    signerName: 'kubernetes.io/kube-apiserver-client',
    usages: ['client auth'],
    ...spec,
  },
});
const decision = (type: string) => ({
  status: { conditions: [{ type, status: 'True', reason: 'Test', message: 'by the suite' }] },
});

export const certificates: Conversation = {
  name: 'certificate requests',
  steps: [
    { name: 'ask', method: 'POST', path: csrs, body: request('differential-a') },
    {
      name: 'ask with nonsense',
      method: 'POST',
      path: csrs,
      body: request('differential-x', { request: 'bm9uc2Vuc2U=' }),
    },
    {
      name: 'ask without usages',
      method: 'POST',
      path: csrs,
      body: request('differential-x', { usages: [] }),
    },
    {
      name: 'ask without a signer',
      method: 'POST',
      path: csrs,
      body: request('differential-x', { signerName: '' }),
    },
    {
      name: 'ask for too short',
      method: 'POST',
      path: csrs,
      body: request('differential-x', { expirationSeconds: 60 }),
    },
    {
      name: 'the requester is not to be chosen',
      method: 'POST',
      path: `${csrs}?dryRun=All`,
      body: request('differential-y', { username: 'system:admin', groups: ['system:masters'] }),
    },
    {
      name: 'the spec is fixed',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${csrs}/differential-a`,
      body: { spec: { signerName: 'example.com/other' } },
    },
    {
      name: 'approve',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: `${csrs}/differential-a/approval`,
      body: decision('Approved'),
    },
    {
      name: 'issued',
      path: `${csrs}/differential-a`,
      until: (answer) => JSON.stringify(answer.body).includes('"certificate"'),
    },
    {
      name: 'denied after it was approved',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: `${csrs}/differential-a/approval`,
      body: decision('Denied'),
    },
    { name: 'ask again', method: 'POST', path: csrs, body: request('differential-b') },
    {
      name: 'deny',
      method: 'PATCH',
      type: patchTypes.strategic,
      path: `${csrs}/differential-b/approval`,
      body: decision('Denied'),
    },
    {
      name: 'a decision without approval',
      method: 'PATCH',
      type: patchTypes.merge,
      path: `${csrs}/differential-b/status`,
      body: { status: { conditions: [] } },
    },
    { name: 'away', method: 'DELETE', path: `${csrs}/differential-a`, uncompared: 'holds the certificate' },
    { name: 'away too', method: 'DELETE', path: `${csrs}/differential-b` },
  ],
  mayDiffer: { 'status.certificate': 'signed by another authority' },
};
