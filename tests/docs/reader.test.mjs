// What a reader does: search, also without a server and by keyboard; reach the navigation by keyboard on a desk and on a
// phone; choose a language and find it chosen again.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { launch, serve, SITE, watched } from "./site.mjs";

let site, browser;

before(async () => {
  site = await serve();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

async function reading(visit, options) {
  const { context, page, complaints } = await watched(browser, options);
  try {
    await visit(page);
    assert.deepEqual(complaints, []);
  } finally {
    await context.close();
  }
}

/** Presses Tab until an element that the selector means has the focus. */
async function tabTo(page, selector, most = 60) {
  for (let count = 0; count < most; count++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  assert.fail(`Tab does not reach ${selector}`);
}

async function finds(page, base, words, wanted) {
  await page.goto(new URL(`search.html?q=${encodeURIComponent(words)}`, base).href);
  await page.waitForSelector("#search-results li a", { timeout: 30_000 });
  const found = await page.$$eval("#search-results li a", (links) => links.map((link) => link.href));
  assert.ok(
    found.some((link) => link.includes(wanted)),
    `${words}: ${found.slice(0, 5).join(", ")}`,
  );
}

test("a search finds a function and a page", () =>
  reading(async (page) => {
    await finds(page, site.url, "palitra_runner_submit", "reference/c.html#c.palitra_runner_submit");
    await finds(page, site.url, "grace period", "docs/recipes/shutdown.html");
  }));

/** One name of each kind in each reference: what makes them is four programs of four makers. */
const DOCUMENTED = {
  "reference/c.html": ["[id='c.palitra_runner_submit']", "[id='c.palitra_reply.data']", "[id='c.PALITRA_BUSY']"],
  "reference/cpp.html": ["[id^='_CPPv4NK7palitra6Runner3runE']", "[id^='_CPPv4N7palitra6StatusE']"],
  "reference/go.html": ["#go-runner-run", "#go-errbusy", "#go-gather"],
  "reference/python.html": [
    "[id='palitra.run']",
    "[id='palitra.Job.__await__'], [id='palitra.Job']",
    "[id='palitra.BusyError']",
  ],
};

test("each reference documents functions, types and numbers with what their comments say", () =>
  reading(async (page) => {
    for (const [name, selectors] of Object.entries(DOCUMENTED)) {
      await page.goto(site.url + name);
      for (const selector of selectors) {
        assert.ok(await page.$(selector), `${name} has no ${selector}`);
      }
    }
    await page.goto(`${site.url}reference/cpp.html`);
    const text = await page.textContent("dl:has(> [id^='_CPPv4NK7palitra6Runner3runE'])");
    assert.match(text, /Runs a job to its end/);
    assert.match(await page.textContent("body"), /#include <palitra\/gather\.hpp>/);
    await page.goto(`${site.url}reference/python.html`);
    for (const name of ["palitra.run", "palitra.EventLoopThreadRunner.run"]) {
      assert.match(await page.textContent(`[id='${name}']`), /\(coro: .*, \*, timeout: /s);
    }
  }));

test("the site is read and searched without a server", () =>
  reading(async (page) => {
    const base = pathToFileURL(join(SITE, "/")).href;
    await page.goto(new URL("index.html", base).href);
    await finds(page, base, "palitra_token_wait", "reference/c.html#c.palitra_token_wait");
  }));

test("the keyboard opens the search and goes to what it finds", () =>
  reading(async (page) => {
    await page.goto(site.url);
    await page.keyboard.press("Control+k");
    await page.waitForFunction(() => document.activeElement?.matches("input[type=search]"));
    await page.keyboard.type("palitra_queue_fd");
    await page.keyboard.press("Enter");
    await page.waitForSelector("#search-results li a", { timeout: 30_000 });
    await tabTo(page, "#search-results li a");
    await page.keyboard.press("Enter");
    await page.waitForURL(/reference\/c\.html/);
  }));

test("the keyboard reaches the navigation on a desk", () =>
  reading(async (page) => {
    await page.goto(`${site.url}docs/concepts.html`);
    await tabTo(page, "#pst-skip-link a, a#pst-skip-link, .skip-link", 3);
    await tabTo(page, ".search-button, .search-button__button, .search-button-field");
    await tabTo(page, "nav.bd-links a");
    await page.keyboard.press("Enter");
    await page.waitForLoadState();
  }));

test("the keyboard opens the navigation on a phone", () =>
  reading(
    async (page) => {
      await page.goto(`${site.url}docs/concepts.html`);
      await tabTo(page, "button.primary-toggle, label.primary-toggle");
      await page.keyboard.press("Enter");
      await page.waitForFunction(() => document.querySelector("dialog[open] nav, .bd-sidebar-primary dialog[open]"));
      await tabTo(page, "dialog[open] a[href*='recipes']");
      await page.keyboard.press("Enter");
      await page.waitForURL(/recipes\.html/);
    },
    { viewport: { width: 360, height: 800 } },
  ));

test("the tabs remember the language", () =>
  reading(async (page) => {
    const chosen = () =>
      page.$$eval(".sd-tab-set > input:checked + label", (labels) => labels.map((label) => label.textContent.trim()));
    await page.goto(`${site.url}quick-start.html`);
    assert.deepEqual(await chosen(), ["C"]);
    await page.click("label.sd-tab-label:has-text('Go')");
    assert.deepEqual(await chosen(), ["Go"]);
    // Another window of the same reader, later.
    const second = await page.context().newPage();
    await second.goto(`${site.url}quick-start.html`);
    const again = await second.$$eval(".sd-tab-set > input:checked + label", (labels) =>
      labels.map((label) => label.textContent.trim()),
    );
    assert.deepEqual(again, ["Go"]);
  }));

test("rustdoc's pages ask no other host", () =>
  reading(async (page) => {
    await page.goto(`${site.url}rust/palitra/index.html`);
    await page.waitForSelector("h1");
    await page.goto(`${site.url}rust/palitra/struct.Runner.html`);
    await page.waitForSelector("h1");
  }));
