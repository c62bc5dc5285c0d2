//! A query as what it means, and as a URL says it.

mod choose;
mod random;

pub(crate) use random::query;

use crate::front::escaped;

/// One step from resource to resource.
#[derive(Clone, Debug)]
pub(crate) enum Link {
    /// To what a parameter refers to, of one type if one is named.
    Forward { code: String, target: Option<String> },
    /// To the resources of a type that refer here.
    Back { kind: String, code: String },
}

/// A value that is looked for; its texts are plain, without escapes.
#[derive(Clone, Debug)]
pub(crate) enum Sought {
    Text(String),
    /// `None` for a system that is not said, the empty one for `|code`; no code for `system|`.
    Token {
        system: Option<String>,
        code: Option<String>,
    },
    OfType {
        system: String,
        code: String,
        value: String,
    },
    Date {
        prefix: &'static str,
        text: String,
    },
    Number {
        prefix: &'static str,
        text: String,
    },
    Quantity {
        prefix: &'static str,
        number: String,
        unit: Unit,
    },
    /// `id`, `Type/id`, an absolute URL, as written.
    Reference(String),
    Uri(String),
    Near {
        latitude: f64,
        longitude: f64,
        kilometres: f64,
    },
    Parts(Vec<Sought>),
    Missing(bool),
}

/// The unit of a quantity that is looked for.
#[derive(Clone, Debug)]
pub(crate) enum Unit {
    Any,
    Named(String),
    Coded(String, String),
}

/// One parameter.
#[derive(Clone, Debug)]
pub(crate) struct Criterion {
    pub(crate) links: Vec<Link>,
    pub(crate) code: String,
    pub(crate) modifier: Option<String>,
    pub(crate) values: Vec<Sought>,
}

/// Where is searched.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Type(String),
    /// The types, by `_type`.
    Types(Vec<String>),
    /// The compartment around `Type/id`, all of it or of one type.
    Compartment(String, Option<String>),
}

/// `_include` and `_revinclude`.
#[derive(Clone, Debug)]
pub(crate) struct Include {
    pub(crate) is_back: bool,
    pub(crate) iterate: bool,
    /// No source is `*`, for any.
    pub(crate) source: Option<String>,
    /// `*` for any.
    pub(crate) code: String,
    pub(crate) target: Option<String>,
}

/// A whole query.
#[derive(Clone, Debug)]
pub(crate) struct Query {
    pub(crate) place: Place,
    pub(crate) criteria: Vec<Criterion>,
    /// Codes, and whether the greatest comes first.
    pub(crate) sort: Vec<(String, bool)>,
    pub(crate) count: Option<usize>,
    pub(crate) total: Option<&'static str>,
    pub(crate) counts_only: bool,
    pub(crate) includes: Vec<Include>,
    pub(crate) is_post: bool,
}

impl Query {
    /// The path of the search below the base.
    pub(crate) fn path(&self) -> String {
        match &self.place {
            Place::Type(kind) => kind.clone(),
            Place::Types(_) => String::new(),
            Place::Compartment(centre, None) => format!("{centre}/*"),
            Place::Compartment(centre, Some(kind)) => format!("{centre}/{kind}"),
        }
    }

    /// Names and values of the parameters, not yet escaped for a URL.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let mut add = |name: &str, value: String| all.push((name.to_owned(), value));
        if let Place::Types(kinds) = &self.place
            && !kinds.is_empty()
        {
            add("_type", kinds.join(","));
        }
        for criterion in &self.criteria {
            add(&criterion.name(), criterion.value());
        }
        if !self.sort.is_empty() {
            let key = |(code, falls): &(String, bool)| format!("{}{code}", if *falls { "-" } else { "" });
            add("_sort", self.sort.iter().map(key).collect::<Vec<_>>().join(","));
        }
        self.includes
            .iter()
            .for_each(|include| add(&include.name(), include.value()));
        self.count
            .iter()
            .for_each(|count| add("_count", count.to_string()));
        self.total
            .iter()
            .for_each(|total| add("_total", (*total).to_owned()));
        if self.counts_only {
            add("_summary", "count".to_owned());
        }
        all
    }

    /// The parameters as a query string or form.
    pub(crate) fn form(&self) -> String {
        let pair = |(name, value): &(String, String)| {
            format!("{}={}", escaped(name.as_bytes()), escaped(value.as_bytes()))
        };
        self.parameters().iter().map(pair).collect::<Vec<_>>().join("&")
    }

    /// For people to read.
    pub(crate) fn shown(&self) -> String {
        let pairs = self.parameters();
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let method = if self.is_post { "POST" } else { "GET" };
        format!("{method} {}?{}", self.path(), pairs.join("&"))
    }
}

impl Include {
    fn name(&self) -> String {
        let name = if self.is_back { "_revinclude" } else { "_include" };
        format!("{name}{}", if self.iterate { ":iterate" } else { "" })
    }

    fn value(&self) -> String {
        match (&self.source, &self.target) {
            (None, _) => "*".to_owned(),
            (Some(source), None) => format!("{source}:{}", self.code),
            (Some(source), Some(target)) => format!("{source}:{}:{target}", self.code),
        }
    }
}

impl Criterion {
    fn name(&self) -> String {
        let mut name = String::new();
        for link in &self.links {
            match link {
                Link::Forward { code, target: None } => name.push_str(&format!("{code}.")),
                Link::Forward {
                    code,
                    target: Some(target),
                } => name.push_str(&format!("{code}:{target}.")),
                Link::Back { kind, code } => name.push_str(&format!("_has:{kind}:{code}:")),
            }
        }
        name.push_str(&self.code);
        if let Some(modifier) = &self.modifier {
            name.push(':');
            name.push_str(modifier);
        }
        name
    }

    fn value(&self) -> String {
        self.values
            .iter()
            .map(Sought::written)
            .collect::<Vec<_>>()
            .join(",")
    }
}

impl Sought {
    /// As a value of a parameter, separators within escaped.
    fn written(&self) -> String {
        match self {
            Sought::Text(text) | Sought::Reference(text) => protected(text),
            // Of a canonical the bar goes before the version.
            Sought::Uri(text) => text.clone(),
            Sought::Token { system, code } => {
                let system = system.as_ref().map(|system| format!("{}|", protected(system)));
                format!(
                    "{}{}",
                    system.unwrap_or_default(),
                    protected(code.as_deref().unwrap_or_default())
                )
            }
            Sought::OfType { system, code, value } => {
                format!("{}|{}|{}", protected(system), protected(code), protected(value))
            }
            Sought::Date { prefix, text } | Sought::Number { prefix, text } => format!("{prefix}{text}"),
            Sought::Quantity { prefix, number, unit } => match unit {
                Unit::Any => format!("{prefix}{number}"),
                Unit::Named(code) => format!("{prefix}{number}||{}", protected(code)),
                Unit::Coded(system, code) => {
                    format!("{prefix}{number}|{}|{}", protected(system), protected(code))
                }
            },
            Sought::Near {
                latitude,
                longitude,
                kilometres,
            } => format!("{latitude}|{longitude}|{kilometres}|km"),
            Sought::Parts(parts) => parts.iter().map(Sought::written).collect::<Vec<_>>().join("$"),
            Sought::Missing(missing) => missing.to_string(),
        }
    }
}

/// With a backslash before what separates.
fn protected(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
