import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Decision, decide, type KnownMachine, type Request, type Token } from './plan.ts';
import { readRequest, RequestError, type RequestedIdentity } from './request.ts';

const bootstrap = ['system:bootstrappers', 'system:bootstrappers:kubenode', 'system:authenticated'];
const agents = ['kubenode:agents', 'system:authenticated'];

function asks(
  machine: string,
  change: Partial<Request> = {},
  subject: Partial<RequestedIdentity> = {},
): Request {
  return {
    signerName: 'kubernetes.io/kube-apiserver-client',
    username: 'system:bootstrap:abcdef',
    groups: bootstrap,
    usages: ['client auth', 'digital signature'],
    labels: undefined,
    nodeName: undefined,
    identity: {
      commonName: `kubenode:agent:${machine}`,
      organizations: ['kubenode:agents'],
      otherParts: [],
      hasExtensions: false,
      isP256: true,
      ...subject,
    },
    ...change,
  };
}

const agent = (machine: string): Partial<Request> => ({
  username: `kubenode:agent:${machine}`,
  groups: agents,
});
const joinToken: Token = { machine: undefined };
const importToken: Token = { machine: 'n1' };
const busy: KnownMachine = { hasAgent: true, deleting: false };
const idle: KnownMachine = { hasAgent: false, deleting: false };

const stories: [string, Request, Token | undefined, KnownMachine | undefined, string][] = [
  ['an agent renews', asks('n1', agent('n1')), undefined, busy, 'Approve Renewal'],
  ['an agent asks in the name of another', asks('n2', agent('n1')), undefined, idle, 'Deny OtherMachine'],
  [
    'a user called like an agent, outside the group',
    asks('n1', { ...agent('n1'), groups: ['system:authenticated'] }),
    undefined,
    busy,
    'Deny NotAllowed',
  ],
  ['an import, before its Machine is made', asks('n1'), importToken, undefined, 'Approve Import'],
  ['an import of a host that was an agent before', asks('n1'), importToken, busy, 'Approve Import'],
  ['the token of an import, for another name', asks('n2'), importToken, undefined, 'Deny OtherMachine'],
  ['a join of a new name', asks('n3'), joinToken, undefined, 'Approve Join +n3'],
  ['a join of a Machine that waits for its agent', asks('n3'), joinToken, idle, 'Approve Join'],
  ['a join of a name in use', asks('n3'), joinToken, busy, 'Deny NameInUse'],
  [
    'a Machine being deleted',
    asks('n3'),
    joinToken,
    { hasAgent: false, deleting: true },
    'Deny MachineDeleting',
  ],
  ['a token that is gone', asks('n3'), undefined, undefined, 'Deny TokenGone'],
  [
    'a person',
    asks('n3', { username: 'admin', groups: ['system:masters'] }),
    undefined,
    undefined,
    'Deny NotAllowed',
  ],
  [
    'a token of the cluster itself',
    asks('n3', { groups: ['system:bootstrappers'] }),
    joinToken,
    undefined,
    'Deny NotAllowed',
  ],
  [
    'a kubelet',
    asks('n3', {}, { commonName: 'system:node:n3', organizations: ['system:nodes'] }),
    joinToken,
    undefined,
    'Ignore',
  ],
  [
    'another signer',
    asks('n3', { signerName: 'kubernetes.io/kubelet-serving' }),
    joinToken,
    undefined,
    'Ignore',
  ],
  [
    'the group of agents under another name',
    asks('n3', {}, { commonName: 'root' }),
    joinToken,
    undefined,
    'Deny Malformed',
  ],
  [
    'one more group',
    asks('n3', {}, { organizations: ['kubenode:agents', 'system:masters'] }),
    joinToken,
    undefined,
    'Deny Malformed',
  ],
  ['a name that no Machine can have', asks('N 3'), joinToken, undefined, 'Deny Malformed'],
  ['names of hosts', asks('n3', {}, { hasExtensions: true }), joinToken, undefined, 'Deny Malformed'],
  ['an RSA key', asks('n3', {}, { isP256: false }), joinToken, undefined, 'Deny Malformed'],
  [
    'a usage too many',
    asks('n3', { usages: ['client auth', 'server auth'] }),
    joinToken,
    undefined,
    'Deny Malformed',
  ],
  [
    'labels that are none',
    asks('n3', { labels: '{"a b": "c"}' }),
    joinToken,
    undefined,
    'Deny InvalidLabels',
  ],
  ['labels that are no JSON', asks('n3', { labels: 'pool=web' }), joinToken, undefined, 'Deny InvalidLabels'],
  ['a nodeName that is none', asks('n3', { nodeName: '../x' }), joinToken, undefined, 'Deny InvalidNodeName'],
];

function summary(decision: Decision): string {
  if (decision.kind === 'Ignore') return 'Ignore';
  const made =
    decision.kind === 'Approve' && decision.create !== undefined ? ` +${decision.create.name}` : '';
  return `${decision.kind} ${decision.reason}${made}`;
}

describe('who gets whose name', () => {
  for (const [story, request, token, machine, expected] of stories) {
    test(`${story}: ${expected}`, () => {
      const decision = decide(request, token, machine);
      assert.equal(summary(decision), expected);
      if (decision.kind === 'Deny') assert.ok(decision.message.length > 20);
    });
  }

  test('a join brings the labels and the nodeName of its Machine', () => {
    const decision = decide(
      asks('n3', { labels: '{"pool":"web"}', nodeName: 'node3' }),
      joinToken,
      undefined,
    );
    assert.deepEqual(decision.kind === 'Approve' && decision.create, {
      name: 'n3',
      labels: { pool: 'web' },
      nodeName: 'node3',
    });
  });
});

/** Made by: openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /O=kubenode:agents/CN=kubenode:agent:n1 */
const asAgent = `-----BEGIN CERTIFICATE REQUEST-----
MIHxMIGYAgEAMDYxGDAWBgNVBAoMD2t1YmVub2RlOmFnZW50czEaMBgGA1UEAwwR
a3ViZW5vZGU6YWdlbnQ6bjEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT3lsie
hHXW9cgVp7FrQVkSfu43ISlwGn0fZL6SBF9FRGugPLlP0vFJnRiPNIJpQB8ymRXQ
glHJzny2WHIv3eySoAAwCgYIKoZIzj0EAwIDSAAwRQIgD4lIqis1abgcQ/OHWksL
VLeyZOmYPTupn9jvTcIx/VsCIQDj2rJSMcPdyjUPL+tuLJl4GozpUYPoJDyP6RT/
1kYhUw==
-----END CERTIFICATE REQUEST-----`;
/** Made by: openssl req -new -nodes -newkey rsa:1024 -subj /C=DE/O=a/O=b/CN=x -addext subjectAltName=DNS:x */
const asOther = `-----BEGIN CERTIFICATE REQUEST-----
MIIBjzCB+QIBADAxMQswCQYDVQQGEwJERTEKMAgGA1UECgwBYTEKMAgGA1UECgwB
YjEKMAgGA1UEAwwBeDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAt79MpL0m
+lOKPJwfPTbrWAN32wzabk6xYWaocB2f8OLqeLt3pof5iihML4rzBx+sywbJGWQK
I+SDEr+myAuEBYDPPBjQikKdOE32m/m6r7HKHZk8vKOlu05HGBZo/+mXh3rSmUEb
qthf7BeFrX/IGSNrhk+X7eRvdq3V+ickMZ0CAwEAAaAfMB0GCSqGSIb3DQEJDjEQ
MA4wDAYDVR0RBAUwA4IBeDANBgkqhkiG9w0BAQsFAAOBgQB2ESs+weVPJZPjgoLY
7P7Ay+wVN59XNSsx+u1XBo4dw+1xHEsxPRTc0BLpcnWCqsTur3xTjQ/RvX2E1Nqq
d/eFRr3EwyZtcsENVnNISarWT8kopbvIUBnF0CSE+NFZgiOsd4By9jPcZE12zMU3
6xXjqQ6GUSQv2xLNa8QuZh/7DQ==
-----END CERTIFICATE REQUEST-----`;

const base64 = (pem: string): string => Buffer.from(pem).toString('base64');

describe('a request', () => {
  test('as openssl writes it is read', () => {
    assert.deepEqual(readRequest(base64(asAgent)), {
      commonName: 'kubenode:agent:n1',
      organizations: ['kubenode:agents'],
      otherParts: [],
      hasExtensions: false,
      isP256: true,
    });
  });

  test('with names of hosts, more parts and another key is seen as such', () => {
    const { otherParts, organizations, hasExtensions, isP256 } = readRequest(base64(asOther));
    assert.deepEqual([otherParts.length, organizations, hasExtensions, isP256], [1, ['a', 'b'], true, false]);
  });

  test('that is none, or cut off, is an error', () => {
    assert.throws(() => readRequest(''), RequestError);
    const cut = asAgent.split('\n').slice(0, 3).join('\n');
    assert.throws(() => readRequest(base64(`${cut}\n-----END`)), RequestError);
  });
});
