// Every page in Chromium, light and dark, on a phone, a tablet and a desk: it says no error, asks no other host, fits the
// width, and axe finds nothing. Pictures of some are left in target/site-shots.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, ownPages, serve, SHOTS, watched } from "./site.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const WCAG_AA = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const WIDTHS = [360, 768, 1440];
const THEMES = ["light", "dark"];
const PICTURED = [
  "index.html",
  "quick-start.html",
  "docs/concepts.html",
  "docs/errors.html",
  "docs/performance.html",
  "docs/recipes/shutdown.html",
  "reference/c.html",
  "reference/cpp.html",
  "reference/go.html",
  "reference/python.html",
  "search.html",
];

let site, browser;

before(async () => {
  rmSync(SHOTS, { recursive: true, force: true });
  mkdirSync(SHOTS, { recursive: true });
  site = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** How far the page can be scrolled sideways, and by what. */
function sideways() {
  const { scrollWidth, clientWidth } = document.scrollingElement;
  if (scrollWidth <= clientWidth) return [];
  const wide = [...document.body.querySelectorAll("*")].filter(
    (element) => element.getBoundingClientRect().right > clientWidth + 1,
  );
  return [`${scrollWidth} > ${clientWidth}`, ...wide.slice(-3).map((element) => element.outerHTML.slice(0, 120))];
}

async function violations(page) {
  // Not as a script of the page: what the tests bring is not the site's.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (tags) => window.axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] }),
    WCAG_AA,
  );
  return violations.map(({ id, nodes }) => {
    const [first] = nodes;
    return `${id}, ${nodes.length} times: ${first.target.join(" ")}: ${first.failureSummary}`;
  });
}

/** Pages that show a file of the tree are all alike: of these, axe looks at some. */
const isLooked = (name) => !name.startsWith("sources/") || name.startsWith("sources/examples/c/");

for (const name of ownPages()) {
  test(`${name} is clean in every width and theme`, async () => {
    const { context, page, complaints } = await watched(browser);
    try {
      const problems = [];
      for (const theme of THEMES) {
        await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 900 });
          await page.goto(site.url + name);
          assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), theme);
          const wide = await page.evaluate(sideways);
          if (wide.length > 0) problems.push(`${width} wide: ${wide.join(", ")}`);
          if (PICTURED.includes(name)) {
            const file = `${name.replaceAll("/", "-").replace(".html", "")}-${width}-${theme}.png`;
            await page.screenshot({ path: join(SHOTS, file) });
          }
          // What a width hides and shows is the same in both themes.
          const isOf = theme === "light" ? width !== 768 : width === 1440;
          if (isLooked(name) && isOf) {
            problems.push(...(await violations(page)).map((each) => `${theme}, ${width}: ${each}`));
          }
        }
      }
      assert.deepEqual([...problems, ...complaints], []);
    } finally {
      await context.close();
    }
  });
}
