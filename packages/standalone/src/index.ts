/** The embedded API server: the Kubernetes API, kept in one SQLite file, in one process. */
export { type FuzzOperation as RandomOperation, randomOperations } from './apply/index.ts';
export { startApiServer, type ApiServer, type ApiServerOptions } from './server.ts';
