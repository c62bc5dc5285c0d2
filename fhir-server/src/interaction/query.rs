//! The parameters of a request, taken one by one, so that what nobody took is known
//! (<https://hl7.org/fhir/R4/search.html#errors>).
//!
//! What the server does not know is reported and left out of the self link; with `Prefer: handling=strict` it is
//! refused, each parameter named.

use super::Request;
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Issue, Result, Severity};
pub(super) use crate::search::malformed;

/// Parameters as names and values, decoded.
pub(super) type Parameters = Vec<(String, String)>;

/// Takes parameters one by one.
pub(super) struct Reader<'q> {
    parameters: &'q [(String, String)],
    taken: Vec<bool>,
    strict: bool,
    known: Vec<&'static str>,
    ignored: Vec<Issue>,
}

impl<'q> Reader<'q> {
    pub(super) fn new(request: &'q Request) -> Self {
        Reader::of(&request.query, request.strict_handling == Some(true))
    }

    pub(super) fn of(parameters: &'q [(String, String)], strict: bool) -> Self {
        Reader {
            parameters,
            taken: vec![false; parameters.len()],
            strict,
            known: Vec::new(),
            ignored: Vec::new(),
        }
    }

    /// All values of a parameter, in order. A parameter without a value is not taken.
    pub(super) fn all(&mut self, name: &'static str) -> Result<Vec<&'q str>> {
        self.known.push(name);
        let mut values = Vec::new();
        for ((found, value), taken) in self.parameters.iter().zip(&mut self.taken) {
            match found.strip_prefix(name) {
                Some("") if !value.trim().is_empty() => {
                    *taken = true;
                    values.push(value.as_str());
                }
                Some(modifier) if modifier.starts_with(':') && !*taken => {
                    let text =
                        format!("The parameter {name} takes no modifier here: send it without {modifier:?}.");
                    return Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")));
                }
                _ => {}
            }
        }
        Ok(values)
    }

    /// The value of a parameter that may be there once.
    pub(super) fn one(&mut self, name: &'static str) -> Result<Option<&'q str>> {
        match self.all(name)?.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            several => {
                let text = format!(
                    "The parameter {name} is sent {} times: send it once.",
                    several.len()
                );
                Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")))
            }
        }
    }

    /// Notes that a parameter that was taken is not followed, and why; in strict handling an error.
    pub(super) fn ignore(&mut self, name: &str, why: impl Into<String>) {
        for ((found, _), taken) in self.parameters.iter().zip(&mut self.taken) {
            *taken &= found != name;
        }
        self.ignored.push(Issue::new(why).at(format!("http.{name}")));
    }

    /// The parameters that nobody took or set aside yet: place, name and value.
    pub(super) fn left(&self) -> Vec<(usize, &'q str, &'q str)> {
        let all = self.parameters.iter().zip(&self.taken).enumerate();
        let left = all.filter(|(_, ((name, _), taken))| !**taken && !self.is_ignored(name));
        left.map(|(place, ((name, value), _))| (place, name.as_str(), value.as_str()))
            .collect()
    }

    /// Takes the parameter at that place.
    pub(super) fn take(&mut self, place: usize) {
        if let Some(taken) = self.taken.get_mut(place) {
            *taken = true;
        }
    }

    /// Notes that the parameter at that place is not followed, and why; in strict handling an error.
    pub(super) fn set_aside(&mut self, name: &str, why: impl Into<String>) {
        self.ignored.push(Issue::new(why).at(format!("http.{name}")));
    }

    fn is_ignored(&self, name: &str) -> bool {
        let at = format!("http.{name}");
        self.ignored.iter().any(|i| i.expression.as_ref() == Some(&at))
    }

    /// Fails in strict handling where a parameter was not taken or not followed.
    pub(super) fn refuse_rest_if_strict(&self) -> Result<()> {
        let issues = self.rest();
        match self.strict && !issues.is_empty() {
            true => Err(Error {
                code: ErrorCode::Value,
                issues,
                cause: None,
            }),
            false => Ok(()),
        }
    }

    /// The parameters that were followed, and a warning for each of the others.
    pub(super) fn finish(self) -> Result<(Parameters, Vec<Issue>)> {
        self.refuse_rest_if_strict()?;
        let warn = |issue: Issue| {
            let text = format!("{} It was ignored.", issue.diagnostics);
            Issue {
                diagnostics: text,
                ..issue
            }
            .with_severity(Severity::Warning)
        };
        let warnings = self.rest().into_iter().map(warn).collect();
        let followed = self
            .parameters
            .iter()
            .zip(&self.taken)
            .filter(|(_, taken)| **taken);
        Ok((
            followed.map(|(parameter, _)| parameter.clone()).collect(),
            warnings,
        ))
    }

    fn rest(&self) -> Vec<Issue> {
        let mut issues = self.ignored.clone();
        for ((name, value), taken) in self.parameters.iter().zip(&self.taken) {
            let at = format!("http.{name}");
            if *taken || self.is_ignored(name) {
                continue;
            }
            let text = match self.known.contains(&name.as_str()) && value.trim().is_empty() {
                true => format!("The parameter {name} has no value."),
                false => format!(
                    "The parameter {name:?} is not known here; known are {}.",
                    self.known.join(", ")
                ),
            };
            issues.push(Issue::new(text).at(at));
        }
        issues
    }
}

/// `_count`, within the limits.
pub(super) fn count(reader: &mut Reader<'_>, session: &Session) -> Result<usize> {
    let settings = session.settings();
    match reader.one("_count")? {
        None => Ok(settings.page_default.min(settings.page_max)),
        Some(text) if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(text.parse::<usize>().unwrap_or(usize::MAX).min(settings.page_max))
        }
        Some(text) => Err(malformed("_count", text, "a whole number from 0")),
    }
}
