//! One validation: [`Run`] collects what is found, [`Scope`] is what rules see at a place.
//!
//! Invariant: a run ends after a bounded number of steps and findings, whatever the resource and the profiles are.

use std::collections::HashMap;

use fhir_model::path::Environment;
use fhir_model::reflect::{Complex, Node};

use crate::finding::{Finding, Severity};
use crate::layer::Layer;
use crate::place::{Place, Step};
use crate::program::Program;
use crate::validator::Inner;

/// Rules applied to values in one run. A Bundle of 1,000 resources takes some hundred thousand.
const MAX_STEPS: u64 = 50_000_000;
/// How deep profiles may lead into each other.
const MAX_NESTING: usize = 48;

/// What rules see at a place.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) inner: &'a Inner,
    pub(crate) environment: &'a Environment<'a>,
    /// The resource that the place is in.
    pub(crate) resource: &'a dyn Complex,
    /// The resource that contains it, if it is contained.
    pub(crate) container: Option<&'a dyn Complex>,
    /// The Bundle that it is an entry of, and the entry's fullUrl.
    pub(crate) bundle: Option<&'a crate::bundle::Entries<'a>>,
    pub(crate) full_url: Option<&'a str>,
}

/// What is found, and where the walk is.
pub(crate) struct Run {
    pub(crate) place: Place,
    pub(crate) findings: Vec<Finding>,
    max: usize,
    steps: u64,
    exhausted: bool,
    /// Rules of drafts and of lower levels only warn.
    pub(crate) most: Severity,
    /// Whether what is asked is asked by a profile.
    by_profile: bool,
    /// Profiles that are applied around the place: an entry twice would be a circle.
    active: Vec<(*const Program, *const ())>,
    /// Whether targets of references conform to profiles, by both; `None` while that is being found out.
    targets: HashMap<(String, String), Option<bool>>,
}

/// A finding to be, built by the layer that makes it.
pub(crate) struct Report {
    pub(crate) layer: Layer,
    pub(crate) severity: Severity,
    pub(crate) message: String,
    pub(crate) rule: Option<String>,
    pub(crate) near: Option<String>,
}

impl Report {
    pub(crate) fn error(layer: Layer, message: impl Into<String>) -> Report {
        Report {
            layer,
            severity: Severity::Error,
            message: message.into(),
            rule: None,
            near: None,
        }
    }

    pub(crate) fn warning(layer: Layer, message: impl Into<String>) -> Report {
        Report {
            severity: Severity::Warning,
            ..Report::error(layer, message)
        }
    }

    pub(crate) fn information(layer: Layer, message: impl Into<String>) -> Report {
        Report {
            severity: Severity::Information,
            ..Report::error(layer, message)
        }
    }

    pub(crate) fn of(self, severity: Severity) -> Report {
        Report { severity, ..self }
    }

    pub(crate) fn rule(self, rule: impl Into<String>) -> Report {
        Report {
            rule: Some(rule.into()),
            ..self
        }
    }

    pub(crate) fn near(self, near: Option<String>) -> Report {
        Report { near, ..self }
    }
}

impl Run {
    pub(crate) fn new(place: Place, max: usize) -> Run {
        Run {
            place,
            findings: Vec::new(),
            max,
            steps: 0,
            exhausted: false,
            most: Severity::Error,
            by_profile: false,
            active: Vec::new(),
            targets: HashMap::new(),
        }
    }

    /// Something about the place.
    pub(crate) fn report(&mut self, report: Report) {
        let expression = self.place.expression();
        self.report_at(expression, report);
    }

    /// Something about the element around the place.
    pub(crate) fn report_above(&mut self, report: Report) {
        let step = self.place.pop();
        self.report(report);
        if let Some(step) = step {
            self.place.push(step);
        }
    }

    /// Something about an element of the place.
    pub(crate) fn report_in(&mut self, element: &str, report: Report) {
        let expression = format!("{}.{element}", self.place.expression());
        self.report_at(expression, report);
    }

    /// Something about another place of the resource.
    pub(crate) fn report_at(&mut self, expression: String, report: Report) {
        if self.is_full() {
            return;
        }
        let finding = Finding {
            layer: report.layer.name(),
            breach: report.layer.breach(),
            severity: report.severity.min(self.most),
            by_profile: self.by_profile,
            expression,
            message: report.message,
            rule: report.rule,
            near: report.near,
            position: None,
        };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Whether no more is wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.findings.len() >= self.max || self.exhausted
    }

    /// Counts a rule applied to a value. False where the run has taken too many steps, which is told once.
    pub(crate) fn step(&mut self) -> bool {
        self.steps += 1;
        if self.steps <= MAX_STEPS {
            return true;
        }
        if !self.exhausted {
            self.report(Report::error(Layer::Profile, format!("the validation took more than {MAX_STEPS} steps and was stopped; split the resource, or validate against simpler profiles")));
            self.exhausted = true;
        }
        false
    }

    /// Goes to a value, does something, and comes back.
    pub(crate) fn within<T>(&mut self, step: Step, inside: impl FnOnce(&mut Run) -> T) -> T {
        self.place.push(step);
        let result = inside(self);
        self.place.pop();
        result
    }

    /// Whether what is done finds no error; what it finds is forgotten.
    pub(crate) fn quietly(&mut self, test: impl FnOnce(&mut Run)) -> bool {
        let kept = std::mem::take(&mut self.findings);
        let (max, most) = (self.max, self.most);
        self.max = 100;
        self.most = Severity::Error;
        test(self);
        let passed = !self.exhausted && self.findings.iter().all(|f| f.severity < Severity::Error);
        self.findings = kept;
        (self.max, self.most) = (max, most);
        passed
    }

    /// Applies a profile to a value unless that is being done around this place already.
    pub(crate) fn entering(&mut self, program: &Program, value: Node<'_>, apply: impl FnOnce(&mut Run)) {
        let entry = (std::ptr::from_ref(program), address(value));
        if self.active.contains(&entry) || self.active.len() >= MAX_NESTING {
            return;
        }
        self.active.push(entry);
        let most = self.most;
        if program.is_draft {
            self.most = self.most.min(Severity::Warning);
        }
        apply(self);
        self.most = most;
        self.active.pop();
    }

    /// Does what a profile asks for, or the definition of an extension, as what R4 does not ask by itself.
    pub(crate) fn for_profile(&mut self, apply: impl FnOnce(&mut Run)) {
        let before = std::mem::replace(&mut self.by_profile, true);
        apply(self);
        self.by_profile = before;
    }

    /// Whether what a reference leads to conforms to a profile, found out once. Around itself it does: a circle of references
    /// breaks nothing.
    pub(crate) fn once(
        &mut self,
        reference: &str,
        profile: &str,
        find_out: impl FnOnce(&mut Run) -> bool,
    ) -> bool {
        let key = (reference.to_owned(), profile.to_owned());
        if let Some(known) = self.targets.get(&key) {
            return known.unwrap_or(true);
        }
        self.targets.insert(key.clone(), None);
        let conforms = find_out(self);
        self.targets.insert(key, Some(conforms));
        conforms
    }

    /// A run of its own about another resource, which shares the count of steps and the profiles around.
    pub(crate) fn aside(
        &mut self,
        root: &'static fhir_model::reflect::TypeInfo,
        test: impl FnOnce(&mut Run),
    ) -> bool {
        let place = std::mem::replace(&mut self.place, Place::new(root));
        let passed = self.quietly(test);
        self.place = place;
        passed
    }
}

fn address(value: Node<'_>) -> *const () {
    match value {
        Node::Complex(complex) => std::ptr::from_ref(complex).cast(),
        Node::Primitive(_, primitive) => std::ptr::from_ref(primitive).cast(),
    }
}
