import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationMs } from './duration.ts';
import { render, TemplateError } from './template.ts';
import { compareVersions } from './version.ts';

test('values are put in, and braces of other programs stay', () => {
  const values = { 'variables.disk': 'sda', 'machine.name': 'n1' };
  assert.equal(
    render('{{ variables.disk }}-{{machine.name}} {{ .Name }} {{- if x }} {{ "{{" }}', values, 'f'),
    'sda-n1 {{ .Name }} {{- if x }} {{',
  );
  assert.throws(
    () => render('{{ variables.nope }}', values, 'file f'),
    (error: unknown) => {
      assert.ok(error instanceof TemplateError);
      assert.match(
        error.message,
        /file f uses the unknown variable variables.nope; there are: machine.name, variables.disk/,
      );
      return true;
    },
  );
  assert.throws(() => render('{{ constructor }}', values, 'f'), TemplateError);
});

test('versions are compared as people mean it', () => {
  const ordered = ['0.9', '1.0~rc1', '1.0-rc.1', '1.0', '1.0.1', '1.1.9', '1.1.12', 'v1.2', '1:0.1'];
  for (const [index, version] of ordered.entries()) {
    for (const [other, later] of ordered.entries()) {
      if (version === '1.0~rc1' && later === '1.0-rc.1') continue;
      if (version === '1.0-rc.1' && later === '1.0~rc1') continue;
      assert.equal(
        Math.sign(compareVersions(version, later)),
        Math.sign(index - other),
        `${version} and ${later}`,
      );
    }
  }
  assert.equal(compareVersions('1.0', '1.0.0'), 0);
});

test('durations are read, and garbage takes the default', () => {
  assert.equal(durationMs('90s', 1), 90_000);
  assert.equal(durationMs('1h30m', 1), 5_400_000);
  assert.equal(durationMs('1.5s', 1), 1_500);
  assert.equal(durationMs('soon', 7), 7);
  assert.equal(durationMs(undefined, 7), 7);
});
