//! The pages of the site and the files that they load.

use crate::error::Result;
use crate::openapi;

/// Where the text of a page comes from.
pub(super) enum Source {
    /// Markdown.
    Markdown(&'static str),
    /// Markdown that is made from what the server does.
    Made(fn() -> Result<String>),
    /// What stands inside `main`; its script does the rest.
    Html(&'static str),
    /// The error catalogue of the server.
    Catalogue,
}

/// One page.
pub(super) struct Page {
    /// Its path below `/docs/`.
    pub(super) path: &'static str,
    /// Its name in the menu.
    pub(super) title: &'static str,
    pub(super) source: Source,
    /// The script that it loads beside that of every page.
    pub(super) script: Option<&'static str>,
}

const fn guide(path: &'static str, title: &'static str, text: &'static str) -> Page {
    Page {
        path,
        title,
        source: Source::Markdown(text),
        script: None,
    }
}

/// All pages, in the order of the menu.
pub(super) const PAGES: &[Page] = &[
    guide("", "Start", include_str!("pages/home.md")),
    guide(
        "tutorial",
        "Tutorial",
        include_str!("../../../../docs/tutorial.md"),
    ),
    Page {
        path: "reference",
        title: "API reference",
        source: Source::Html(include_str!("pages/reference.html")),
        script: Some("reference.js"),
    },
    Page {
        path: "scenarios",
        title: "Scenarios",
        source: Source::Made(openapi::scenarios),
        script: None,
    },
    Page {
        path: "records",
        title: "Record browser",
        source: Source::Html(include_str!("pages/records.html")),
        script: Some("records.js"),
    },
    Page {
        path: "errors",
        title: "Errors",
        source: Source::Catalogue,
        script: None,
    },
    guide("tokens", "Tokens", include_str!("../../../../docs/tokens.md")),
    guide("consent", "Consent", include_str!("../../../../docs/consent.md")),
    guide("audit", "Audit", include_str!("../../../../docs/audit.md")),
    guide(
        "validation",
        "Validation",
        include_str!("../../../../docs/validation.md"),
    ),
    guide(
        "operations",
        "Operations",
        include_str!("../../../../docs/operations.md"),
    ),
    guide(
        "configuration",
        "Configuration",
        include_str!("../../../../docs/configuration.md"),
    ),
    guide("status", "Status", include_str!("pages/status.md")),
];

/// The files that pages load: name, type, content.
pub(super) const ASSETS: &[(&str, &str, &str)] = &[
    ("site.css", "text/css; charset=utf-8", include_str!("site.css")),
    ("site.js", SCRIPT, include_str!("site.js")),
    ("person.js", SCRIPT, include_str!("person.js")),
    ("reference.js", SCRIPT, include_str!("reference.js")),
    ("records.js", SCRIPT, include_str!("records.js")),
    ("plain.js", SCRIPT, include_str!("plain.js")),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";
