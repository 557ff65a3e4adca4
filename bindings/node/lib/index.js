// palitra for Node: what lib/index.d.ts documents. The functions use a runner of this thread's, made at the first use.

import { shippedLibrary } from "./library.js";
import { Runner } from "./runner.js";

export * from "./errors.js";
export { HttpCode } from "./http.js";
export { Job } from "./job.js";
export { load } from "./library.js";
export { Runner };

let runner;

function globalRunner() {
  if (!isRunnerAlive()) runner = new Runner();
  return runner;
}

export const isRunnerAlive = () => runner?.isAlive() ?? false;
export const shutdownGlobalRunner = async (options) => (await runner?.shutdown(options)) ?? true;

export const run = async (job, payload, options) => globalRunner().run(job, payload, options);
export const runSync = (job, payload, options) => globalRunner().runSync(job, payload, options);
export const submit = (job, payload, options) => globalRunner().submit(job, payload, options);
export const stream = (job, payload, options) => globalRunner().stream(job, payload, options);
export const gather = async (jobs, options) => globalRunner().gather(jobs, options);

export const jobs = () => shippedLibrary().jobs();
export const describeJob = (job) => shippedLibrary().describeJob(job);
export const describeJobs = () => shippedLibrary().describeJobs();
export const configure = (config) => shippedLibrary().configure(config);
