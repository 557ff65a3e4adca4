// The types of the package, by tsc --strict: what is right compiles, and each mistake is found.

import { execFileSync } from "node:child_process";
import test from "node:test";

test("the types hold under tsc --strict", { timeout: 120_000 }, () => {
  const flags = [
    "--strict",
    "--noEmit",
    "--target",
    "es2022",
    "--module",
    "nodenext",
    "--lib",
    "es2022,esnext.disposable",
  ];
  execFileSync("../node_modules/.bin/tsc", [...flags, "types.mts"], { cwd: import.meta.dirname, stdio: "inherit" });
});
