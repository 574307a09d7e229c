export { type Connect, connectSsh, type SshOptions, type SshTarget } from './connect.ts';
export { SshError, type SshFailure } from './errors.ts';
export { fingerprint, formatHostKey, parseHostKey } from './hostkey.ts';
export { type ExecOptions, type ExecResult, firstLine, type SshSession } from './session.ts';
