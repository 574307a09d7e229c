// Brings the committed examples up to what the mirrors offer and the pinned modules build today: versions and digests, nothing else.
// Run it with the pinned runtime: node scripts/launch.mjs lab/src/examples/update.ts
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { examplesFolder, readManifests } from './manifests.ts';
import { settle, type Supplies } from './settle.ts';

for (const [name, manifests] of await readManifests()) {
  let text = await readFile(join(examplesFolder, name), 'utf8');
  const documents = text.split(/^---$/m);
  for (const [index, manifest] of manifests.entries()) {
    const before = structuredClone(manifest);
    const supplies: Supplies = { files: [], images: [], notes: [] };
    await settle(manifest, supplies, (line) => console.error(line));
    for (const note of supplies.notes) console.log(note);
    let document = documents[index] ?? '';
    for (const [from, to] of changes(before, manifest)) document = document.replaceAll(from, to);
    documents[index] = document;
  }
  text = documents.join('---');
  await writeFile(join(examplesFolder, name), text);
}

/** The strings that differ between two objects of the same shape, in pairs: only the text is changed, so comments stay. */
function changes(before: unknown, after: unknown): Array<[from: string, to: string]> {
  if (typeof before === 'string' && typeof after === 'string')
    return before === after ? [] : [[before, after]];
  if (typeof before !== 'object' || typeof after !== 'object' || before === null || after === null) return [];
  const other = after as Record<string, unknown>;
  return Object.entries(before).flatMap(([key, value]) => changes(value, other[key]));
}
