// The program at the start of the package's README prints what stands below it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

import { program } from "./helpers.mjs";

test("the README's first program runs as it stands", async () => {
  const readme = readFileSync(new URL("../node_modules/palitra/README.md", import.meta.url), "utf8");
  const blocks = [...readme.matchAll(/^```(\w+)\n(.*?)^```/gms)];
  const [, , text] = blocks.find(([, language]) => language === "js");
  const [, , printed] = blocks.find(([, language]) => language === "text");
  const { code, output, errors } = await program(text);
  assert.deepEqual([code, output, errors], [0, printed, ""]);
});
