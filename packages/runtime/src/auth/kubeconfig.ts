import type { Connection } from './credentials.ts';

export interface KubeconfigOptions {
  /** @default the kubeconfig's current-context */
  readonly context?: string;
}

/** Reads a kubeconfig file. @default $KUBECONFIG (its first file), then ~/.kube/config */
export declare function loadKubeconfig(path?: string, options?: KubeconfigOptions): Promise<Connection>;

/** The connection of a kubeconfig text (YAML or JSON). `folder`: what relative file names in it start from. */
export declare function parseKubeconfig(
  text: string,
  folder: string,
  options?: KubeconfigOptions,
): Connection;
