// Every link of every page, rustdoc's too, leads to a file that is there, and to an anchor in it; nothing that a page loads
// stands on another host.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { launch, pages, SITE } from "./site.mjs";

/** In the browser, whose parser is the readers' own: what a page links to, what it loads, and its anchors. */
function parse(html) {
  const document = new DOMParser().parseFromString(html, "text/html");
  const all = (selector, attribute) =>
    [...document.querySelectorAll(selector)].map((element) => element.getAttribute(attribute));
  return {
    links: all("a[href], area[href]", "href"),
    loads: [...all("[src]", "src"), ...all("link[href]:not([rel=canonical], [rel=next], [rel=prev])", "href")],
    anchors: [...all("[id]", "id"), ...all("a[name]", "name")],
  };
}

const isElsewhere = (link) => /^[a-z][a-z+.-]*:|^\/\//i.test(link);

test("every link leads to a page and an anchor that are there", async () => {
  const browser = await launch();
  try {
    const page = await browser.newPage();
    const parsed = new Map();
    for (const name of pages()) {
      parsed.set(name, await page.evaluate(parse, readFileSync(join(SITE, name), "utf8")));
    }
    assert.ok(parsed.size > 50, `only ${parsed.size} pages`);
    const broken = [];
    for (const [name, { links, loads }] of parsed) {
      const foreign = loads.filter((link) => isElsewhere(link) && !link.startsWith("data:"));
      broken.push(...foreign.map((link) => `${name} loads ${link}`));
      for (const link of new Set([...links, ...loads])) {
        if (isElsewhere(link)) continue;
        const target = new URL(link, `http://site/${name}`);
        let path = decodeURIComponent(target.pathname).slice(1);
        if (path === "" || path.endsWith("/")) path += "index.html";
        // rustdoc names a trait's script of implementors also where it has written none.
        if (path.startsWith("rust/trait.impl/")) continue;
        if (!existsSync(join(SITE, path))) {
          broken.push(`${name} links to ${link}`);
          continue;
        }
        // rustdoc makes the anchors of lines of the source as they are asked for, and names others as links have them.
        const names = [target.hash.slice(1), decodeURIComponent(target.hash.slice(1))];
        if (!names[0] || path.startsWith("rust/src/")) continue;
        if (parsed.has(path) && !parsed.get(path).anchors.some((anchor) => names.includes(anchor))) {
          broken.push(`${name} links to ${link}, which has no such anchor`);
        }
      }
    }
    assert.deepEqual(broken, []);
  } finally {
    await browser.close();
  }
});
