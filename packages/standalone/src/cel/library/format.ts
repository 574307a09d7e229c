import { isDate, isDateTime, matchesFormat } from '../../schema/formats.ts';
import type { Library } from '../functions.ts';
import { type Opaque, Optional } from '../values.ts';
import { Url } from './url.ts';

/** A named format of strings. */
class NamedFormat implements Opaque {
  readonly opaqueType = 'kubernetes.NamedFormat';
  readonly name: string;
  readonly validate: (value: string) => string[];
  constructor(name: string, validate: (value: string) => string[]) {
    this.name = name;
    this.validate = validate;
  }
  equals(other: Opaque): boolean {
    return other instanceof NamedFormat && other.name === this.name;
  }
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_TEXT = `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL}')`;
const SUBDOMAIN_TEXT = `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${SUBDOMAIN}')`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const LABEL_1035_TEXT = `a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '${LABEL_1035}')`;
const NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const NAME_TEXT = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '${NAME}')`;
const VALUE = `(${NAME})?`;
const VALUE_TEXT = `a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '${VALUE}')`;

/** At most `max` bytes, and of a pattern. */
const of = (pattern: string, max: number, text: string): ((value: string) => string[]) => {
  const whole = new RegExp(`^${pattern}$`);
  return (value) => [
    ...(Buffer.byteLength(value) > max ? [`must be no more than ${max} bytes`] : []),
    ...(whole.test(value) ? [] : [text]),
  ];
};

const label = of(LABEL, 63, LABEL_TEXT);
const subdomain = of(SUBDOMAIN, 253, SUBDOMAIN_TEXT);
const label1035 = of(LABEL_1035, 63, LABEL_1035_TEXT);
const namePart = of(NAME, 63, NAME_TEXT);

/** A name that is to be completed may end in a dash. */
const prefix = (check: (value: string) => string[]) => (value: string) => check(value.replace(/-$/, 'a'));

function qualifiedName(value: string): string[] {
  const parts = value.split('/');
  if (parts.length > 2)
    return [
      `a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const name = parts.pop() ?? '';
  const [domain] = parts;
  const wrong =
    domain === undefined
      ? []
      : domain === ''
        ? ['prefix part must be non-empty']
        : subdomain(domain).map((e) => `prefix part ${e}`);
  return [...wrong, ...(name === '' ? ['name part must be non-empty'] : namePart(name))];
}

const test =
  (holds: (value: string) => boolean, text: string) =>
  (value: string): string[] =>
    holds(value) ? [] : [text];

const FORMATS = new Map<string, (value: string) => string[]>([
  ['dns1123Label', label],
  ['dns1123Subdomain', subdomain],
  ['dns1035Label', label1035],
  ['qualifiedName', qualifiedName],
  ['dns1123LabelPrefix', prefix(label)],
  ['dns1123SubdomainPrefix', prefix(subdomain)],
  ['dns1035LabelPrefix', prefix(label1035)],
  ['labelValue', of(VALUE, 63, VALUE_TEXT)],
  ['uri', test((v) => Url.parse(v) !== undefined, 'invalid uri')],
  ['uuid', test((v) => matchesFormat('uuid', v), 'does not match the UUID format')],
  ['byte', test((v) => matchesFormat('byte', v), 'invalid base64')],
  ['date', test(isDate, 'invalid date')],
  ['datetime', test(isDateTime, 'invalid datetime')],
]);

/** `format.<name>()` and `format.named(name)`. */
export function addFormat(library: Library): void {
  const type = 'kubernetes.NamedFormat';
  const all = new Map([...FORMATS].map(([name, validate]) => [name, new NamedFormat(name, validate)]));
  for (const [name, format] of all) library.add(`format.${name}(): ${type}`, () => format);
  library.add(`format.named(string): optional<${type}>`, (name: string) => {
    const format = all.get(name);
    return format === undefined ? Optional.none : new Optional(format);
  });
  library.add(`${type}.validate(string): optional<list<string>>`, (format: NamedFormat, value: string) => {
    const wrong = format.validate(value);
    return wrong.length === 0 ? Optional.none : new Optional(wrong);
  });
}
