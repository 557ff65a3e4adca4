// Remembers the language of the tabs, and opens it on every page: sphinx-design does so only until the window is closed.
const key = "palitra.language";

document.addEventListener("DOMContentLoaded", () => {
  const labels = [...document.querySelectorAll("label.sd-tab-label[data-sync-group=language]")];
  for (const label of labels) {
    label.addEventListener("click", () => localStorage.setItem(key, label.dataset.syncId));
  }
  const asked = new URLSearchParams(location.search).has("language");
  const remembered = localStorage.getItem(key);
  if (remembered && !asked) {
    labels.find((label) => label.dataset.syncId === remembered)?.click();
  }
});

// Without a server no page can be read for the lines below what a search finds: it finds the same without them.
if (location.protocol === "file:") {
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
}

// The anchors of C's functions have a dot, "c.palitra_runner_run", which Sphinx's search takes for a class: it would look
// for the function's lines in vain, and say so in the console.
document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return;
  const linesOf = Search.htmlToText;
  Search.htmlToText = (html, anchor) => linesOf(html, anchor && `#${CSS.escape(anchor.slice(1))}`);
});
