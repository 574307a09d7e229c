import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import type { DownloadOptions } from '../artifacts/download.ts';
import { checkDigest, download } from '../artifacts/download.ts';
import { readSources } from '../artifacts/sources.ts';
import type { RunResult } from '../../ports.ts';
import { ArtifactError } from '../errors.ts';
import { removeDurably, renameDurably, syncFile } from '../files/atomic.ts';
import { hashFile } from '../files/digests.ts';
import { isMissing } from '../files/rooted-paths.ts';
import { checkName, type Commands } from './commands.ts';
import { endOf } from '../../words.ts';

const aptMs = 10 * 60_000;
/** Otherwise an update whose lists could not be fetched ends well. */
const anyFailure = ['--option=APT::Update::Error-Mode=any'];

export interface DebFetcherOptions {
  /** Path of this machine. */
  readonly sourcesFile: string;
  readonly download?: Partial<Omit<DownloadOptions, 'sources' | 'resolve'>>;
}

/** Brings .deb files into a folder: from an address, or by the host's own apt. */
export class DebFetcher {
  readonly #options: DebFetcherOptions;
  readonly #commands: Commands;

  constructor(options: DebFetcherOptions, commands: Commands) {
    this.#options = options;
    this.#commands = commands;
  }

  async fetch(
    request: { name: string; version: string; digest: string; url?: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<string> {
    const { name, version, digest, url } = request;
    const address = url ?? `${checkName(name)}=${version} from the host's apt`;
    checkDigest(address, digest);
    const to = path.join(folder, `${name}_${digest.slice('sha256:'.length, 'sha256:'.length + 12)}.deb`);
    if (url === undefined) await this.#fetchByApt({ name, version, digest, to }, folder, signal);
    else {
      const sources = await readSources(this.#options.sourcesFile);
      const options = {
        ...this.#options.download,
        sources,
        resolve: (hostPath: string) => Promise.resolve(hostPath),
      };
      await download({ url, digest, to }, options, signal);
    }
    await this.#checkDeb(address, to, { name, version });
    return to;
  }

  async #fetchByApt(
    wanted: { name: string; version: string; digest: string; to: string },
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    if ((await digestOf(wanted.to)) === wanted.digest) return;
    const scratch = path.join(folder, 'apt');
    await rm(scratch, { recursive: true, force: true });
    await mkdir(scratch, { recursive: true, mode: 0o700 });
    const command = ['env', `--chdir=${scratch}`, 'apt-get', '--quiet', '--option=APT::Sandbox::User=root'];
    const what = `${wanted.name}=${wanted.version}`;
    const fetchIt = (): Promise<RunResult> =>
      this.#commands.run([...command, 'download', what], { timeoutMs: aptMs, signal });
    let result = await fetchIt();
    let updated: RunResult | undefined;
    if (result.exitCode !== 0) {
      // The host's lists may be older than the version.
      signal.throwIfAborted();
      updated = await this.#commands.whileLocked(() =>
        this.#commands.run([...command, ...anyFailure, 'update'], { timeoutMs: aptMs, signal }),
      );
      result = await fetchIt();
    }
    signal.throwIfAborted();
    const [file] = (await readdir(scratch)).filter((entry) => entry.endsWith('.deb'));
    if (result.exitCode !== 0 || file === undefined) throw notBrought(what, result, updated);
    const got = await hashFile(path.join(scratch, file));
    if (got !== wanted.digest) {
      await rm(scratch, { recursive: true, force: true });
      throw new ArtifactError(
        what,
        'DigestMismatch',
        `${what} from the host's apt has digest ${got} and the revision says ${wanted.digest}: nothing of it was used; correct the digest in a new revision`,
      );
    }
    // apt leaves it to the kernel when the contents get on disk.
    await syncFile(path.join(scratch, file));
    await renameDurably(path.join(scratch, file), wanted.to);
    await removeDurably(scratch);
  }

  async #checkDeb(address: string, deb: string, wanted: { name: string; version: string }): Promise<void> {
    const { exitCode, output } = await this.#commands.ask([
      'dpkg-deb',
      '--showformat=${Package} ${Version}',
      '--show',
      deb,
    ]);
    if (exitCode !== 0)
      throw new ArtifactError(
        address,
        'Malformed',
        `${address} is no Debian package: correct the address in the revision`,
      );
    const expected = `${wanted.name.replace(/:.*$/, '')} ${wanted.version}`;
    if (output.trim() === expected) return;
    throw new ArtifactError(
      address,
      'Invalid',
      `${address} is '${output.trim()}' and not '${expected}': correct name or version in the revision`,
    );
  }
}

async function digestOf(file: string): Promise<string | undefined> {
  try {
    return await hashFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** What apt does not have is a mistake of the revision only where its sources could be asked. */
function notBrought(what: string, result: RunResult, updated: RunResult | undefined): ArtifactError {
  const isAsked = updated?.exitCode === 0 && /was not found|Unable to locate/.test(result.output);
  const said = updated === undefined || isAsked ? result.output : `${updated.output}\n${result.output}`;
  return isAsked
    ? new ArtifactError(
        what,
        'NotFound',
        `the host's apt has no ${what}: ${endOf(said)}: correct the version, the host's apt sources, or give the package's url`,
      )
    : new ArtifactError(
        what,
        'Unreachable',
        `the host's apt could not bring ${what}: ${endOf(said)}: mend the host's network or apt sources, or give the package's url`,
      );
}
