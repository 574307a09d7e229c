import { invalid, type Cause } from '../http/status.ts';
import { child, clone, isObj, list, strings, text, time, type KubeObject } from '../object.ts';
import { badValue, required, unsupported } from '../registry/metadata.ts';
import type { HookContext } from '../registry/resource.ts';
import { forbidden, type Particular } from './particular.ts';

const CSR_USAGES = new Set(
  'signing,digital signature,content commitment,key encipherment,key agreement,data encipherment,cert sign,crl sign,encipher only,decipher only,any,server auth,client auth,code signing,email protection,s/mime,ipsec end system,ipsec tunnel,ipsec user,timestamping,ocsp signing,microsoft sgc,netscape sgc'.split(
    ',',
  ),
);

/** A decision stays, and there is one. */
function decisions(object: KubeObject, old: KubeObject): Cause[] {
  const causes: Cause[] = [];
  const types = (from: KubeObject): string[] =>
    list(from, 'status', 'conditions').map((c) => text(c, 'type') ?? '');
  const now = types(object);
  for (const type of ['Approved', 'Denied', 'Failed']) {
    if (types(old).includes(type) && !now.includes(type)) {
      causes.push(forbidden('status.conditions', `updates may not remove a condition of type "${type}"`));
    }
  }
  if (now.includes('Approved') && now.includes('Denied')) {
    causes.push(
      badValue(
        `status.conditions[${now.indexOf('Denied')}].type`,
        'Denied',
        'Approved and Denied conditions are mutually exclusive',
      ),
    );
  }
  return causes;
}

/** CertificateSigningRequests. */
export const certificatesigningrequests: Particular = {
  // The server fills in the spec by itself, and the status is for others.
  ignored: (subresource) => (subresource === '' ? ['spec', 'status'] : ['spec']),
  onCreate: (object, context) => {
    const { request, signerName, usages, expirationSeconds } = child(object, 'spec');
    object['spec'] = {
      groups: context.user.groups,
      ...(context.user.extra ? { extra: context.user.extra } : {}),
      ...(expirationSeconds === undefined ? {} : { expirationSeconds }),
      request,
      signerName,
      ...(context.user.uid ? { uid: context.user.uid } : {}),
      usages,
      username: context.user.username,
    };
    object['status'] = {};
  },
  onUpdate: updateCsr,
  validate: (object, old) => {
    const causes: Cause[] = old ? decisions(object, old) : [];
    const spec = child(object, 'spec');
    const pem = Buffer.from(text(spec, 'request') ?? '', 'base64').toString('utf8');
    if (!/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/.test(pem)) {
      causes.push(
        badValue('spec.request', text(spec, 'request') ?? '', 'PEM block type must be CERTIFICATE REQUEST'),
      );
    }
    const usages = strings(spec, 'usages');
    if (usages.length === 0) causes.push(required('spec.usages'));
    usages.forEach((usage, i) => {
      if (!CSR_USAGES.has(usage))
        causes.push(unsupported(`spec.usages[${i}]`, usage, [...CSR_USAGES].sort()));
    });
    const signer = text(spec, 'signerName') ?? '';
    if (signer === '') causes.push(required('spec.signerName'));
    else if (!/^[a-z0-9][-a-z0-9.]*\/\S+$/.test(signer)) {
      causes.push(
        badValue(
          'spec.signerName',
          signer,
          'must be a fully qualified domain and path of the form "example.com/signer-name"',
        ),
      );
    }
    const seconds = spec['expirationSeconds'];
    if (typeof seconds === 'number' && seconds < 600) {
      causes.push(
        badValue(
          'spec.expirationSeconds',
          seconds,
          'may not specify a duration less than 600 seconds (10 minutes)',
        ),
      );
    }
    return causes;
  },
};

/** The spec never changes; conditions change by approval, the certificate by status. */
function updateCsr(object: KubeObject, old: KubeObject, context: HookContext): void {
  object['spec'] = clone(old['spec']);
  const now = time(context.now);
  const asked = child(object, 'status');
  const mine = list(asked, 'conditions');
  const held = child(old, 'status');
  const certificate = context.subresource === 'approval' ? held['certificate'] : asked['certificate'];
  if (context.subresource === '') return;
  if (context.subresource === 'status') {
    const types = (from: unknown[]): (string | undefined)[] => from.map((c) => text(c, 'type'));
    const before = types(list(held, 'conditions'));
    const added = types(mine).find(
      (type) => (type === 'Approved' || type === 'Denied') && !before.includes(type),
    );
    if (added) {
      throw invalid({ group: 'certificates.k8s.io', resource: object.kind }, object.metadata.name, [
        forbidden('status.conditions', `updates may not add a condition of type "${added}"`),
      ]);
    }
  }
  const conditions = mine.filter(isObj).map((condition) => ({
    ...condition,
    status: condition['status'] ?? 'True',
    lastUpdateTime: condition['lastUpdateTime'] ?? now,
    lastTransitionTime: condition['lastTransitionTime'] ?? now,
  }));
  object['status'] = {
    ...(certificate === undefined ? {} : { certificate }),
    ...(conditions.length ? { conditions } : {}),
  };
}
