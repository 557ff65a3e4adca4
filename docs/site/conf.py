"""How Sphinx makes the site out of what stage.py has laid out. A warning fails the build."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "docs/site"

project = "palitra"
author = "the authors of palitra"
version = release = next(
    line.split('"')[1] for line in (ROOT / "Cargo.toml").read_text().splitlines() if line.startswith("version")
)
language = "en"

extensions = ["myst_parser", "sphinx_design", "sphinx_copybutton", "sphinx.ext.autodoc", "breathe"]
root_doc = "index"

# The anchors of headings are those that the tree's links use.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]

highlight_language = "text"
# The package works without Celery, and its reference is made without it.
autodoc_mock_imports = ["celery"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# Each header of C++ opens the namespace again.
suppress_warnings = ["duplicate_declaration.cpp"]
breathe_projects = {"palitra": str(ROOT / "target/site-made/doxygen/xml")}
breathe_default_project = "palitra"
breathe_default_members = ("members", "undoc-members")

copybutton_selector = "div:not(.no-copy) > div.highlight pre"

templates_path = [str(HERE / "templates")]
html_theme = "pydata_sphinx_theme"
html_title = "palitra"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_show_sourcelink = False
html_copy_source = False
html_show_sphinx = False
html_favicon = str(HERE / "static/icon.svg")
# What goes with the theme by default and asks other hosts, or says nothing here, is left out.
html_theme_options = {
    "logo": {
        "text": "palitra",
        "image_light": str(HERE / "static/icon.svg"),
        "image_dark": str(HERE / "static/icon.svg"),
        "alt_text": "palitra, start page",
    },
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "collapse_navigation": True,
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_center": [],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "back_to_top_button": True,
}
html_sidebars = {"index": [], "quick-start": ["sidebar-nav-bs"]}
html_context = {"default_mode": "auto"}
copyright = f"{author}, BSD-3-Clause. Version {version}"
