// What the tests share: the library with the test jobs, and programs of their own.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { load, Runner } from "palitra";

export const testJobs = load(`${process.env.PALITRA_LIBRARY_DIR}/libpalitra_test_jobs.so`);

/** A runner of the test jobs, closed at the end of the test. */
export function runnerFor(test, options = {}) {
  const runner = new Runner({ library: testJobs, ...options });
  test.after(() => runner.close());
  return runner;
}

/** Asks until it is so; the test's own limit bounds it. */
export async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

let programs = 0;

/** Runs a program as a module beside this file: its exit code or signal, and what it wrote. */
export async function program(text, { env = {}, onOutput } = {}) {
  const options = { env: { ...process.env, ...env }, timeout: 30_000, killSignal: "SIGKILL" };
  const file = join(import.meta.dirname, `program-${process.pid}-${programs++}.mjs`);
  writeFileSync(file, text);
  const child = spawn(process.execPath, ["--expose-gc", file], options);
  const written = { output: "", errors: "" };
  child.stdout.on("data", (data) => {
    written.output += data;
    onOutput?.(child, written.output);
  });
  child.stderr.on("data", (data) => (written.errors += data));
  const [code, signal] = await once(child, "close");
  rmSync(file);
  return { code, signal, ...written };
}
