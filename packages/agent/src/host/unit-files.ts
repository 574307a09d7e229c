import { lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import path from 'node:path';

import type { UnitState } from '../ports.ts';
import { ServiceError } from './errors.ts';
import { removeDurably, replaceLink } from './files/atomic.ts';
import type { RootedPaths } from './files/rooted-paths.ts';
import { isMissing } from './files/rooted-paths.ts';

/** systemd's own order (systemd.unit(5)): the first folder that has the unit decides. */
const unitFolders = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/systemd/generator.early',
  '/etc/systemd/system',
  '/etc/systemd/system.attached',
  '/run/systemd/system',
  '/run/systemd/system.attached',
  '/run/systemd/generator',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
  '/run/systemd/generator.late',
];
const adminFolder = '/etc/systemd/system';
/** Where links made by enable count: what the vendor links into place is not a choice made on this host. */
const linkFolders = [adminFolder, '/run/systemd/system'];

/** A unit as its files say it is. */
export interface UnitFile {
  /** Host path of the fragment. */
  readonly path: string;
  readonly masked: boolean;
  /** Fragment and drop-ins, in the order in which they apply. */
  readonly texts: readonly string[];
}

/** The links that [Install] asks for, host path -> target. */
type InstallLinks = ReadonlyMap<string, string>;

/** What the unit folders hold by name, so that a check of many units reads each folder once. */
type Listing = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Unit files of a host: found, judged, enabled and unmasked by the files alone, so that no daemon has to know of them yet. Reads by
 * blocking calls: the files are small and cached, and a promise for each was seen to cost ten times as much (20 ms for 12 units).
 */
export class UnitFiles {
  readonly #paths: RootedPaths;

  constructor(paths: RootedPaths) {
    this.#paths = paths;
  }

  /** The unit's file that counts, undefined where there is none. Templates serve their instances. */
  async find(unit: string): Promise<UnitFile | undefined> {
    return await this.#find(unit, await this.#listing());
  }

  async enabledState(unit: string): Promise<UnitState['enabled']> {
    return (await this.enabledStates([unit])).get(unit) ?? 'unknown';
  }

  async enabledStates(units: readonly string[]): Promise<ReadonlyMap<string, UnitState['enabled']>> {
    const listing = await this.#listing();
    const states = new Map<string, UnitState['enabled']>();
    for (const unit of units)
      states.set(unit, await this.#enabledState(unit, await this.#find(unit, listing)));
    return states;
  }

  async #listing(): Promise<Listing> {
    const listing = new Map<string, ReadonlySet<string>>();
    for (const folder of unitFolders) listing.set(folder, new Set(await this.#list(folder)));
    return listing;
  }

  async #find(unit: string, listing: Listing): Promise<UnitFile | undefined> {
    for (const name of fileNames(unit)) {
      for (const folder of unitFolders) {
        if (listing.get(folder)?.has(name) !== true) continue;
        const file = path.posix.join(folder, name);
        const masked = await this.#isMask(file);
        if (masked === undefined) continue;
        return { path: file, masked, texts: masked ? [] : await this.#texts(unit, file, listing) };
      }
    }
    return undefined;
  }

  async #enabledState(unit: string, file: UnitFile | undefined): Promise<UnitState['enabled']> {
    if (file === undefined) return 'unknown';
    if (file.masked) return 'masked';
    const links = installLinks(unit, file);
    if (links.size === 0) return 'static';
    for (const link of links.keys()) {
      if (!(await this.#hasLink(link))) return 'disabled';
    }
    return 'enabled';
  }

  /** Makes the links of [Install], each on disk before it resolves (those of `systemctl enable` are lost in a power cut). */
  async enable(unit: string): Promise<void> {
    const file = await this.find(unit);
    if (file === undefined)
      throw new ServiceError(
        unit,
        'not-found',
        `unit ${unit} cannot be enabled: it has no unit file on this host`,
      );
    if (file.masked)
      throw new ServiceError(
        unit,
        'masked',
        `unit ${unit} cannot be enabled: ${file.path} masks it; unmask it first`,
      );
    for (const [link, target] of installLinks(unit, file)) {
      if (!(await this.#hasLink(link))) await replaceLink(target, await this.#paths.entry(link));
    }
  }

  /** Removes every link to the unit from wants, requires and upholds folders, and its aliases. */
  async disable(unit: string): Promise<void> {
    const file = await this.find(unit);
    const aliases = file === undefined ? [] : [...installLinks(unit, file).keys()];
    for (const folder of linkFolders) {
      for (const name of await this.#list(folder)) {
        if (!/\.(wants|requires|upholds)$/.test(name)) continue;
        await this.#removeLink(path.posix.join(folder, name, unit));
      }
    }
    for (const alias of aliases) await this.#removeLink(alias);
  }

  /** Removes the mask wherever it stands; a real unit file there is left alone. */
  async unmask(unit: string): Promise<void> {
    for (const folder of unitFolders) {
      const file = path.posix.join(folder, unit);
      if (await this.#isMask(file)) await removeDurably(await this.#paths.entry(file));
    }
  }

  /** undefined: nothing is there. A link to /dev/null or an empty file is a mask. */
  async #isMask(file: string): Promise<boolean | undefined> {
    try {
      const real = await this.#paths.entry(file);
      const entry = lstatSync(real);
      if (entry.isSymbolicLink()) {
        if (readlinkSync(real) === '/dev/null') return true;
        return statSync(await this.#paths.target(file)).size === 0;
      }
      return entry.isFile() && entry.size === 0;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async #texts(unit: string, file: string, listing: Listing): Promise<readonly string[]> {
    const texts = [readFileSync(await this.#paths.target(file), 'utf8')];
    const dropIns = new Map<string, string>();
    for (const folder of unitFolders.toReversed()) {
      for (const name of fileNames(unit).toReversed()) {
        if (listing.get(folder)?.has(`${name}.d`) !== true) continue;
        const dropInFolder = path.posix.join(folder, `${name}.d`);
        for (const entry of await this.#list(dropInFolder)) {
          if (entry.endsWith('.conf')) dropIns.set(entry, path.posix.join(dropInFolder, entry));
        }
      }
    }
    for (const name of [...dropIns.keys()].sort()) {
      const real = await this.#paths.target(dropIns.get(name) ?? '');
      if (statSync(real).isFile()) texts.push(readFileSync(real, 'utf8'));
    }
    return texts;
  }

  /** A link to /dev/null in a wants folder takes the wish away again. */
  async #hasLink(link: string): Promise<boolean> {
    for (const folder of linkFolders) {
      try {
        const real = await this.#paths.entry(link.replace(adminFolder, folder));
        if (lstatSync(real).isSymbolicLink() && readlinkSync(real) !== '/dev/null') return true;
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    }
    return false;
  }

  async #removeLink(link: string): Promise<void> {
    const real = await this.#paths.entry(link);
    try {
      if (lstatSync(real).isSymbolicLink()) await removeDurably(real);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }

  async #list(folder: string): Promise<readonly string[]> {
    try {
      return readdirSync(await this.#paths.target(folder));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }
}

/** `a@b.service` is served by its own file or by the template `a@.service`. */
function fileNames(unit: string): readonly string[] {
  const template = unit.replace(/@[^.]*(?=\.[^.]+$)/, '@');
  return template === unit ? [unit] : [unit, template];
}

function installLinks(unit: string, file: UnitFile): InstallLinks {
  const links = new Map<string, string>();
  const values = readSection(file.texts, 'Install');
  for (const [key, suffix] of [
    ['WantedBy', 'wants'],
    ['RequiredBy', 'requires'],
    ['UpheldBy', 'upholds'],
  ] as const) {
    for (const target of words(values.get(key), unit)) {
      links.set(path.posix.join(adminFolder, `${target}.${suffix}`, unit), file.path);
    }
  }
  for (const alias of words(values.get('Alias'), unit)) {
    if (alias !== unit) links.set(path.posix.join(adminFolder, alias), file.path);
  }
  return links;
}

function words(values: readonly string[] | undefined, unit: string): readonly string[] {
  const instance = /@([^.]*)\.[^.]+$/.exec(unit)?.[1] ?? '';
  const prefix = unit.replace(/(@.*)?\.[^.]+$/, '');
  const specifiers: Readonly<Record<string, string>> = {
    '%i': instance,
    '%p': prefix,
    '%n': unit,
    '%N': unit.replace(/\.[^.]+$/, ''),
    '%%': '%',
  };
  return (values ?? [])
    .flatMap((value) => value.split(/\s+/))
    .filter((word) => word !== '' && !word.includes('/'))
    .map((word) => word.replace(/%./g, (found) => specifiers[found] ?? found));
}

/** The settings of one section over all texts: an empty value clears what came before, as in systemd. Continued lines are joined. */
export function readSection(
  texts: readonly string[],
  section: string,
): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const text of texts) {
    let current = '';
    // Comments may stand between continued lines, so they go first.
    const lines = text
      .split('\n')
      .filter((line) => !/^\s*[#;]/.test(line))
      .join('\n')
      .replace(/\\\n/g, ' ')
      .split('\n');
    for (const line of lines) {
      const header = /^\s*\[(.+)\]\s*$/.exec(line);
      if (header) current = header[1] ?? '';
      const setting = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$/.exec(line);
      if (!setting || current !== section) continue;
      const [, key = '', value = ''] = setting;
      if (value === '') values.delete(key);
      else values.set(key, [...(values.get(key) ?? []), value]);
    }
  }
  return values;
}
