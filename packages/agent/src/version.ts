/** Version of the agent: the project's. Put in by the build; from source it is told as such. */
declare const KUBENODE_VERSION: string | undefined;
export const agentVersion: string = typeof KUBENODE_VERSION === 'string' ? KUBENODE_VERSION : '0.1.0';
