import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactBuilds } from '../artifacts/builds.ts';
import { type ExampleManifest, readManifests } from './manifests.ts';

const manifests = [...(await readManifests()).values()].flat();
const revisions = manifests.filter(({ kind }) => kind === 'MachineComponent');
const sets = manifests.filter(({ kind }) => kind === 'MachineComponentSet');

test('every set names a revision of its component, and every component has a set', () => {
  for (const { metadata, spec } of sets) {
    const revision = revisions.find((candidate) => candidate.metadata.name === spec['revision']);
    assert.equal(revision?.spec.component, spec.component, metadata.name);
  }
  const components = new Set(revisions.map(({ spec }) => spec.component));
  assert.deepEqual([...components].sort(), sets.map(({ spec }) => spec.component).sort());
  assert.ok(components.size >= 10);
});

test('every template variable comes from the set, or is one that the agent knows', () => {
  for (const revision of revisions) {
    const set = sets.find(({ spec }) => spec.component === revision.spec.component);
    const own = ((set?.spec['variables'] ?? []) as Array<{ name: string }>).map(
      ({ name }) => `variables.${name}`,
    );
    const known = new Set([...own, 'machine.name', 'machine.nodeName', 'host.address']);
    for (const [, name = ''] of JSON.stringify(revision.spec).matchAll(/\{\{ ([^}]*) \}\}/g))
      assert.ok(known.has(name), `${revision.metadata.name}: {{ ${name} }}`);
  }
});

test('every dependency is a component of the examples', () => {
  for (const { metadata, spec } of revisions)
    for (const { component } of (spec['dependsOn'] ?? []) as Array<{ component: string }>)
      assert.ok(
        revisions.some((other) => other.spec.component === component),
        `${metadata.name} needs ${component}`,
      );
});

test('every artifact has a digest and comes from where the lab serves it', () => {
  for (const revision of revisions)
    for (const { archive, file, oci, package: deb } of revision.spec.artifacts ?? []) {
      const { name } = revision.metadata;
      const source = archive ?? file ?? deb;
      assert.match(source?.digest ?? oci?.image ?? '', /sha256:(?!0{64})[0-9a-f]{64}$/, name);
      if (oci !== undefined) assert.ok(isBuilt(revision), name);
      else if (deb !== undefined)
        assert.equal(deb.url, `http://artifacts.lab/debs/${deb.name}_${deb.version}_amd64.deb`);
      else
        assert.ok(
          artifactBuilds.some(({ path }) => source?.url === `http://artifacts.lab${path}`),
          name,
        );
    }
});

test("a container outlives containerd's unit, and nothing secret stands in a manifest", () => {
  for (const { spec } of revisions.filter((revision) => revision.spec.component === 'containerd'))
    assert.match((spec['unit'] as { content: string }).content, /^KillMode=process$/m);
  assert.doesNotMatch(JSON.stringify(manifests), /PRIVATE KEY|"token"|[a-z0-9]{6}\.[a-z0-9]{16}\b/);
});

function isBuilt({ spec }: ExampleManifest): boolean {
  return artifactBuilds.some(
    ({ component, version }) => component === spec.component && version === spec.version,
  );
}
