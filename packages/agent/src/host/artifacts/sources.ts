import { readFile } from 'node:fs/promises';

import { isMissing } from '../files/rooted-paths.ts';

/**
 * What the host knows of one place that artifacts come from. Stands in /etc/kubenode/sources.json as `{"sources": [...]}`, where
 * credentials belong and objects of the API do not.
 */
export interface Source {
  /** `https://files.example/team/`: addresses that begin so, at a `/`. A registry is `https://registry.example/` (`http://` for a plain one). */
  readonly prefix: string;
  /** Tried first, in order; the rest of the address after `prefix` is appended. The prefix itself is the last resort. */
  readonly mirrors?: readonly string[];
  readonly username?: string;
  readonly password?: string;
  /** Sent as a bearer token. */
  readonly token?: string;
  /** Host path of a PEM file that is trusted besides the system's CAs. */
  readonly caFile?: string;
  /** `http://proxy:3128`. */
  readonly proxy?: string;
}

/** For every address whose source names no proxy: `"proxy"` and `"noProxy"` beside `"sources"`, as HTTPS_PROXY and NO_PROXY elsewhere. */
export interface HostProxy {
  readonly proxy?: string;
  /** Hosts reached without it; one that begins with a dot stands for all below it. */
  readonly noProxy?: readonly string[];
}

/** Answers what is known of an address. */
export interface Sources {
  /** The source with the longest fitting prefix. */
  find(url: string): Source | undefined;
  /** The addresses to try, in order. */
  addresses(url: string): readonly string[];
}

/** Reads the file anew, so that a credential changed on the host counts at the next try. No file: no sources. */
export async function readSources(file: string): Promise<Sources> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return makeSources([]);
    throw error;
  }
  const { sources, ...proxy } = parse(file, text);
  return makeSources(sources, proxy);
}

export function makeSources(all: readonly Source[], host: HostProxy = {}): Sources {
  const longestFirst = all.toSorted((a, b) => b.prefix.length - a.prefix.length);
  const find = (url: string): Source | undefined => longestFirst.find((source) => fits(source.prefix, url));
  return {
    find: (url) => {
      const source = find(url);
      if (host.proxy === undefined || source?.proxy !== undefined || isDirect(url, host.noProxy))
        return source;
      return { prefix: url, ...source, proxy: host.proxy };
    },
    addresses: (url) => {
      const source = find(url);
      if (source === undefined) return [url];
      const rest = url.slice(source.prefix.length).replace(/^\//, '');
      return [...(source.mirrors ?? []).map((mirror) => `${mirror.replace(/\/$/, '')}/${rest}`), url];
    },
  };
}

function isDirect(url: string, noProxy: readonly string[] = []): boolean {
  const { hostname } = new URL(url);
  return noProxy.some((name) => hostname === name || (name.startsWith('.') && hostname.endsWith(name)));
}

function fits(prefix: string, url: string): boolean {
  return (
    url.startsWith(prefix) && (prefix.endsWith('/') || ['/', '?', undefined].includes(url[prefix.length]))
  );
}

/** Never quotes the file's content: it holds credentials. */
function parse(file: string, text: string): HostProxy & { readonly sources: readonly Source[] } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(
      `${file} is not valid JSON: correct it; it must look like {"sources": [{"prefix": "https://..."}]}`,
    );
  }
  const list = isRecord(json) ? json['sources'] : undefined;
  if (!Array.isArray(list))
    throw new Error(
      `${file} has no list "sources": it must look like {"sources": [{"prefix": "https://..."}]}`,
    );
  const { proxy, noProxy } = isRecord(json) ? json : {};
  if (proxy !== undefined && typeof proxy !== 'string') throw new Error(`${file}: proxy must be a text`);
  if (noProxy !== undefined && !isTextList(noProxy))
    throw new Error(`${file}: noProxy must be a list of host names`);
  return {
    sources: list.map((item: unknown, index) => source(file, index, item)),
    ...(proxy === undefined ? {} : { proxy }),
    ...(noProxy === undefined ? {} : { noProxy }),
  };
}

const textFields = ['username', 'password', 'token', 'caFile', 'proxy'] as const;

function source(file: string, index: number, item: unknown): Source {
  const where = `${file}: sources[${index}]`;
  if (!isRecord(item)) throw new Error(`${where} is not an object`);
  for (const key of Object.keys(item)) {
    const known = key === 'prefix' || key === 'mirrors' || textFields.some((field) => field === key);
    if (!known)
      throw new Error(
        `${where} has an unknown field "${key}": known are prefix, mirrors, ${textFields.join(', ')}`,
      );
  }
  const prefix = item['prefix'];
  if (typeof prefix !== 'string' || !/^https?:\/\/[^/]/.test(prefix)) {
    throw new Error(`${where}.prefix must begin with https:// or http:// and a host`);
  }
  const mirrors = item['mirrors'];
  if (mirrors !== undefined && !isTextList(mirrors))
    throw new Error(`${where}.mirrors must be a list of addresses`);
  const texts: { [field in (typeof textFields)[number]]?: string } = {};
  for (const field of textFields) {
    const value = item[field];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw new Error(`${where}.${field} must be a text`);
    texts[field] = value;
  }
  return { prefix, ...(mirrors === undefined ? {} : { mirrors }), ...texts };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
