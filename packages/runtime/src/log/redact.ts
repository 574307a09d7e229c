/** Field names whose value is never shown. Names of things that hold secrets (`keySecretName`) are harmless and pass. */
const secretName =
  /^(authorization|cookie|set-cookie|.*passw(or)?d|.*passphrase|.*secret|.*(?<!continue|retry)token|.*private[-_.]?key|.*key[-_]?data|.*credentials?)$/i;
const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g;
const bearer = /\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi;
/** Bootstrap tokens: six characters, a dot, sixteen. */
const bootstrapToken = /\b([a-z0-9]{6})\.[a-z0-9]{16}\b/g;
const hidden = '[redacted]';

function redactText(text: string): string {
  return text
    .replace(privateKey, hidden)
    .replace(bearer, `$1 ${hidden}`)
    .replace(bootstrapToken, `$1.${hidden}`);
}

/** The value as it may be logged: secrets replaced, errors as text, what JSON cannot carry as text. */
export function redact(name: string, value: unknown, depth = 0): unknown {
  if (secretName.test(name) && value !== undefined && value !== null && typeof value !== 'boolean')
    return hidden;
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function')
    return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return redactText(describeError(value));
  if (depth >= 5) return '[deep]';
  if (value instanceof Date) return value;
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (Array.isArray(value)) return value.map((item: unknown) => redact('', item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redact(key, item, depth + 1)]));
}

/** An error with its causes in one line. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError ? error.errors.map(describeError).join('; ') : '';
  const text = [error.message === '' ? error.name : error.message, inner]
    .filter((part) => part !== '')
    .join(': ');
  if (error.cause === undefined || error.cause === null) return text;
  const cause = describeError(error.cause);
  return text.includes(cause) ? text : `${text}: ${cause}`;
}
