// The built site for the tests: its pages, a server for them on a free port, and Chromium.
import { createServer } from "node:http";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, normalize, relative, sep } from "node:path";
import { chromium } from "playwright-core";

export const SITE = process.env.PALITRA_SITE ?? join(process.cwd(), "target/site");
export const SHOTS = process.env.PALITRA_SITE_SHOTS ?? join(process.cwd(), "target/site-shots");

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** Every page, as a path below the site's root. */
export function pages(folder = SITE) {
  const found = readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return pages(path);
    return entry.name.endsWith(".html") ? [relative(SITE, path).split(sep).join("/")] : [];
  });
  // What a theme leaves beside its scripts is no page.
  return found.filter((page) => !page.startsWith("_static/")).sort();
}

/** Pages that Sphinx has made; those of rustdoc are tested for their links only. */
export const ownPages = () => pages().filter((page) => !page.startsWith("rust/"));

/** Serves the site; what is not there is a 404. */
export async function serve() {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    let path = normalize(join(SITE, decodeURIComponent(pathname)));
    if (existsSync(path) && statSync(path).isDirectory()) path = join(path, "index.html");
    if (!path.startsWith(SITE) || !existsSync(path)) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
    response.end(readFileSync(path));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });

/** A browser's page that notes everything a reader should never see: errors, failures, requests to other hosts. */
export async function watched(browser, options = {}) {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const complaints = [];
  const complain = (text) => complaints.push(`${page.url()}: ${text}`);
  page.on("pageerror", (error) => complain(`exception: ${error.message}`));
  page.on("console", (message) => {
    // rustdoc asks for its fonts early, in a way that Chromium finds to be of no use.
    if (page.url().includes("/rust/") && message.text().startsWith("A preload for")) return;
    if (["error", "warning"].includes(message.type())) complain(`console: ${message.text()}`);
  });
  page.on("requestfailed", (request) => {
    const { errorText } = request.failure();
    // Chromium fetches an icon at leisure, and gives it up where the test goes on to the next page.
    if (errorText !== "net::ERR_ABORTED") complain(`${errorText}: ${request.url()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) complain(`${response.status()}: ${response.url()}`);
  });
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url());
    const own = ["data:", "blob:", "file:"].includes(protocol) || hostname === "127.0.0.1";
    if (!own) complain(`another host: ${request.url()}`);
  });
  return { context, page, complaints };
}
