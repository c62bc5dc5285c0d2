//! Checks one code against its code system and a value set, and says all that is to be said about it.
//!
//! Invariant: the answer is "wrong" only with an issue that says why.

use std::sync::Arc;

use crate::terminology::canonical;
use crate::terminology::code_system::{CodeSystem, Content};
use crate::terminology::display::{self, Display, Judgement};
use crate::terminology::issue::{Issue, Severity, code_label, no_code_system, no_value_set};
use crate::terminology::language::Languages;
use crate::terminology::library::Library;
use crate::terminology::rule::Rule;
use crate::terminology::set::{Compiled, Gap, Hit, Key, Source, Verdict};
use crate::terminology::status;

/// A code as it is stated, and where.
#[derive(Clone, Debug)]
pub(super) struct Asked<'a> {
    pub(super) system: Option<&'a str>,
    pub(super) version: Option<&'a str>,
    pub(super) code: &'a str,
    pub(super) display: Option<&'a str>,
    pub(super) place: Place,
    /// Whether the system is to be found from the value set.
    pub(super) infer: bool,
}

/// Where a code is stated: in parameters of its own, in a Coding, or in the Coding of a CodeableConcept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Parameters,
    Coding,
    Concept(usize),
}

impl Place {
    fn of(self, element: &str) -> String {
        match self {
            Place::Parameters if element == "version" => "systemVersion".to_owned(),
            Place::Parameters => element.to_owned(),
            _ => format!("{}.{element}", self.whole()),
        }
    }

    fn whole(self) -> String {
        match self {
            Place::Parameters => "code".to_owned(),
            Place::Coding => "Coding".to_owned(),
            Place::Concept(index) => format!("CodeableConcept.coding[{index}]"),
        }
    }
}

/// How strict to be, and about what.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) languages: Languages,
    pub(super) abstract_allowed: Option<bool>,
    pub(super) active_only: bool,
    pub(super) lenient_display: bool,
    pub(super) membership_only: bool,
}

/// What was found out about a code.
#[derive(Debug, Default)]
pub(super) struct Checked {
    /// In the value set; of a code system alone: one of its codes.
    pub(super) is_member: bool,
    pub(super) system: Option<String>,
    pub(super) version: Option<String>,
    pub(super) display: Option<String>,
    pub(super) inactive: bool,
    pub(super) status: Option<String>,
    /// The code as the code system writes it, where that differs.
    pub(super) normalized: Option<String>,
    /// The code system that would be needed and is not held.
    pub(super) unknown_system: Option<String>,
}

/// Checks codes, and collects what there is to say.
pub(super) struct Checker<'a> {
    pub(super) library: &'a Library,
    /// `None` to check against the code system alone.
    pub(super) value_set: Option<&'a Compiled>,
    pub(super) rules: Rules,
    pub(super) issues: Vec<Issue>,
    /// Whether a code outside the value set is an error by itself, not only when all others are too.
    pub(super) each_must_be_in: bool,
}

impl<'a> Checker<'a> {
    /// Checks a code.
    pub(super) fn check(&mut self, asked: &Asked<'a>) -> Checked {
        let Some(system) = asked.system.or_else(|| self.inferred(asked)) else {
            return self.without_system(asked);
        };
        let mut checked = Checked {
            system: Some(system.to_owned()),
            ..Checked::default()
        };
        let key = Key {
            system,
            version: asked.version,
            code: asked.code,
        };
        let verdict = self.value_set.map(|set| set.composed(key));
        let hit = match &verdict {
            Some(Verdict::In(hit)) => Some(*hit),
            _ => None,
        };
        let held = self.code_system(key, hit.as_ref());
        if let Some(held) = &held {
            checked.version.clone_from(&held.head.version);
        }
        if !self.rules.membership_only {
            match &held {
                Some(held) => self.in_code_system(asked, held, hit.as_ref(), &mut checked),
                None => self.without_code_system(asked, key, hit.as_ref(), &mut checked),
            }
        }
        match verdict {
            Some(verdict) => self.membership(asked, key, verdict, &mut checked),
            None => checked.is_member = !self.issues.iter().any(Issue::is_error),
        }
        checked
    }

    /// The code system that the value set takes the code from, where there is just one.
    fn inferred(&self, asked: &Asked<'a>) -> Option<&'a str> {
        let set = self.value_set.filter(|_| asked.infer)?;
        let is_in = |source: &&&Source| {
            let key = Key {
                system: source.url(),
                version: None,
                code: asked.code,
            };
            matches!(set.verdict(key), Verdict::In(_))
        };
        let sources = set.sources();
        let mut found: Vec<&str> = sources.iter().filter(is_in).map(|s| s.url()).collect();
        found.dedup();
        match found.as_slice() {
            [one] => Some(one),
            _ => None,
        }
    }

    fn without_system(&mut self, asked: &Asked<'a>) -> Checked {
        if asked.infer {
            let set = self.value_set.map_or("", |s| s.label.as_str());
            let systems: Vec<&str> = self
                .value_set
                .map(|s| s.sources().iter().map(|s| s.url()).collect())
                .unwrap_or_default();
            let text = format!(
                "The System URI could not be determined for the code '{}' in the ValueSet '{set}' (code systems: {})",
                asked.code,
                systems.join(", ")
            );
            let issue = Issue::error("not-found", "cannot-infer", "UNABLE_TO_INFER_CODESYSTEM", text);
            self.issues.push(issue.at(asked.place.of("code")));
        } else {
            let text = "Coding has no system. A code with no system has no defined meaning, and it cannot be \
                        validated. A system should be provided";
            let id = "Coding_has_no_system__cannot_validate";
            let issue = Issue::warning("invalid", "invalid-data", id, text.to_owned());
            self.issues.push(issue.at(asked.place.whole()));
        }
        if self.value_set.is_some() {
            self.not_in(asked);
        }
        Checked::default()
    }

    fn code_system(&self, key: Key<'_>, hit: Option<&Hit<'_>>) -> Option<Arc<CodeSystem>> {
        if let Some(system) = hit.and_then(|h| h.source.held()) {
            return Some(Arc::clone(system));
        }
        let version = key.version.or_else(|| {
            let sources = self.value_set?.sources();
            let mut same = sources.iter().filter(|s| s.url() == key.system);
            same.find_map(|s| s.version())
        });
        self.library.code_system(key.system, version)
    }

    fn in_code_system(
        &mut self,
        asked: &Asked<'a>,
        held: &CodeSystem,
        hit: Option<&Hit<'_>>,
        checked: &mut Checked,
    ) {
        self.issues
            .extend(status::of_code_system(held, self.value_set).map(|w| w.issue()));
        let Some(index) = held.find(asked.code) else {
            self.unknown_code(asked, held);
            return;
        };
        let right = held.code(index);
        if right != asked.code {
            let text = format!(
                "The code '{}' differs from the correct code '{right}' by case. Although the code system '{}' is case \
                 insensitive, implementers are strongly encouraged to use the correct case anyway",
                asked.code,
                held.canonical()
            );
            let issue = Issue::information("business-rule", "code-rule", "CODE_CASE_DIFFERENCE", text);
            self.issues.push(issue.quiet().at(asked.place.of("code")));
            checked.normalized = Some(right.to_owned());
        }
        self.activity(asked, held, index, checked);
        let displays = display::displays(Some(held), Some(index), hit);
        checked.display = display::best(&displays, &self.rules.languages).map(str::to_owned);
        if let Some(stated) = asked.display {
            self.display(asked, &held.head.url, stated, &displays);
        }
        if hit.and_then(|h| h.listed).is_some_and(|l| l.deprecated) {
            let text = format!(
                "The presence of the concept '{right}' in the system '{}' in the value set {} is marked with a status of \
                 deprecated and its use should be reviewed",
                held.head.url,
                self.value_set.map_or("", |s| s.label.as_str())
            );
            let id = "CONCEPT_DEPRECATED_IN_VALUESET";
            let issue = Issue::warning("business-rule", "code-comment", id, text);
            self.issues.push(issue.quiet().at(asked.place.of("code")));
        }
    }

    fn activity(&mut self, asked: &Asked<'a>, held: &CodeSystem, index: u32, checked: &mut Checked) {
        let status = held.status(index);
        let (inactive, deprecated) = (held.is_inactive(index), held.is_deprecated(index));
        let code = held.code(index);
        let (id, text) = if inactive {
            checked.inactive = true;
            let word = match status.filter(|s| *s != "inactive") {
                Some(status) => format!("{status} and inactive"),
                None => "inactive".to_owned(),
            };
            let text = format!("The concept '{code}' has a status of {word} and its use should be reviewed");
            ("INACTIVE_CONCEPT_FOUND", text)
        } else if deprecated {
            let text = format!("The concept '{code}' is deprecated and its use should be reviewed");
            ("DEPRECATED_CONCEPT_FOUND", text)
        } else {
            return;
        };
        checked.status = status.map(str::to_owned);
        let issue = Issue::warning("business-rule", "code-comment", id, text);
        self.issues.push(issue.at(asked.place.whole()));
    }

    fn unknown_code(&mut self, asked: &Asked<'a>, held: &CodeSystem) {
        let (code, url) = (asked.code, &held.head.url);
        let version = match &held.head.version {
            Some(version) => format!(" version '{version}'"),
            None => String::new(),
        };
        let issue = if held.head.content == Content::Fragment {
            let text = format!(
                "Unknown Code '{code}' in the CodeSystem '{url}'{version} - note that the code system is labeled as a \
                 fragment, so the code may be valid in some other fragment"
            );
            Issue::warning("code-invalid", "invalid-code", "UNKNOWN_CODE_IN_FRAGMENT", text).quiet()
        } else {
            let text = format!("Unknown code '{code}' in the CodeSystem '{url}'{version}");
            Issue::error("code-invalid", "invalid-code", "Unknown_Code_in_Version", text)
        };
        self.issues.push(issue.at(asked.place.of("code")));
    }

    /// The code system is not held: why, as far as can be seen.
    fn without_code_system(
        &mut self,
        asked: &Asked<'a>,
        key: Key<'_>,
        hit: Option<&Hit<'_>>,
        checked: &mut Checked,
    ) {
        let url = key.system;
        let at = asked.place.of("system");
        if let Some(rule) = Rule::of(url) {
            if rule.has(key.code) == Some(false) {
                let text = format!("Unknown code '{}' in the CodeSystem '{url}'", key.code);
                let issue = Issue::error("code-invalid", "invalid-code", "Unknown_Code_in_Version", text);
                self.issues.push(issue.at(asked.place.of("code")));
            }
            return;
        }
        if let Some(supplement) = self.library.supplement(url) {
            let canonical = canonical::join(url, supplement.version.as_str());
            let text = format!(
                "CodeSystem {canonical} is a supplement, so can't be used as a value in Coding.system"
            );
            let issue = Issue::error("invalid", "invalid-data", "CODESYSTEM_CS_NO_SUPPLEMENT", text);
            self.issues.push(issue.at(at));
            return;
        }
        if self.library.value_set(url, None).is_some() {
            let text = format!("The Coding references a value set, not a code system ('{url}')");
            let issue = Issue::error("invalid", "invalid-data", "Terminology_TX_System_ValueSet2", text);
            self.issues.push(issue.at(at));
            return;
        }
        if !is_absolute(url) {
            let text = "Coding.system must be an absolute reference, not a local reference".to_owned();
            let issue = Issue::error("invalid", "invalid-data", "Terminology_TX_System_Relative", text);
            self.issues.push(issue.at(at.clone()));
        }
        let versions = self.library.code_system_versions(url);
        let issue = no_code_system(url, asked.version, &versions).at(at);
        // A value set that lists the code itself says enough.
        let severity = if hit.is_some() {
            Severity::Warning
        } else {
            Severity::Error
        };
        self.issues.push(issue.with(severity));
        checked.unknown_system = Some(canonical::join(url, asked.version));
        if let Some(hit) = hit {
            checked.display = hit.display().map(str::to_owned);
        }
    }

    fn membership(&mut self, asked: &Asked<'a>, key: Key<'_>, verdict: Verdict<'_>, checked: &mut Checked) {
        let set_is_active = self.value_set.is_some_and(|s| s.inactive == Some(false));
        match verdict {
            Verdict::In(hit) if hit.is_inactive() && (set_is_active || self.rules.active_only) => {
                let text = format!(
                    "The concept '{}' is valid but is not active",
                    hit.code().unwrap_or(key.code)
                );
                let issue = Issue::error("business-rule", "code-rule", "STATUS_CODE_WARNING_CODE", text);
                self.issues.push(issue.at(asked.place.of("code")));
                self.not_in(asked);
            }
            Verdict::In(hit) if hit.is_abstract() && self.rules.abstract_allowed == Some(false) => {
                let label = code_label(Some(key.system), None, key.code, None);
                let text = format!("Code '{label}' is abstract, and not allowed in this context");
                let issue = Issue::error("business-rule", "code-rule", "ABSTRACT_CODE_NOT_ALLOWED", text);
                self.issues.push(issue.at(asked.place.of("code")));
                self.not_in(asked);
            }
            Verdict::In(_) | Verdict::Unknown(Gap::Fragment(_)) => checked.is_member = true,
            Verdict::Out => {
                self.other_version(asked, key);
                self.not_in(asked);
            }
            Verdict::Unknown(Gap::ValueSet(url)) => self.push_once(no_value_set(&url)),
            Verdict::Unknown(Gap::CodeSystem { url, version }) => {
                if checked.unknown_system.is_none() {
                    let versions = self.library.code_system_versions(&url);
                    let issue = no_code_system(&url, version.as_deref(), &versions);
                    self.issues.push(issue.at(asked.place.of("system")));
                    checked.unknown_system = Some(canonical::join(&url, version.as_deref()));
                }
                self.other_version(asked, key);
            }
            Verdict::Unknown(Gap::Filter(reason)) => {
                let issue = Issue::error("processing", "vs-invalid", "VALUESET_FILTER", reason);
                self.push_once(issue);
            }
        }
    }

    /// Several Codings of one concept may miss the same.
    fn push_once(&mut self, issue: Issue) {
        if !self.issues.iter().any(|i| i.same_text(&issue)) {
            self.issues.push(issue);
        }
    }

    /// A code that would be in, were it of the version that the value set takes.
    fn other_version(&mut self, asked: &Asked<'a>, key: Key<'_>) {
        let Some(stated) = key.version else { return };
        let Some(set) = self.value_set else { return };
        let any = Key { version: None, ..key };
        let Verdict::In(hit) = set.composed(any) else {
            return;
        };
        let of_set = hit.source.version().unwrap_or("");
        let which = if hit.pinned {
            ""
        } else {
            " for the versionless include"
        };
        let text = format!(
            "The code system '{}' version '{of_set}'{which} in the ValueSet include is different to the one in the value \
             ('{stated}')",
            key.system
        );
        let issue = match hit.pinned {
            true => Issue::error("invalid", "vs-invalid", "VALUESET_VALUE_MISMATCH", text),
            false => Issue::warning("invalid", "vs-invalid", "VALUESET_VALUE_MISMATCH_DEFAULT", text),
        };
        self.issues.push(issue.at(asked.place.of("version")));
    }

    fn not_in(&mut self, asked: &Asked<'a>) {
        let label = code_label(asked.system, asked.version, asked.code, asked.display);
        let set = self.value_set.map_or("", |s| s.label.as_str());
        let text = format!("The provided code '{label}' was not found in the value set '{set}'");
        let id = "None_of_the_provided_codes_are_in_the_value_set_one";
        let issue = if self.each_must_be_in {
            Issue::error("code-invalid", "not-in-vs", id, text)
        } else {
            Issue::information("code-invalid", "this-code-not-in-vs", id, text).quiet()
        };
        self.issues.push(issue.at(asked.place.of("code")));
    }

    fn display(&mut self, asked: &Asked<'a>, url: &str, stated: &str, displays: &[Display<'_>]) {
        let languages = self.rules.languages.text();
        let code = asked.code;
        let wrong = if self.rules.lenient_display {
            Severity::Warning
        } else {
            Severity::Error
        };
        let issue = match display::judge(stated, displays, &self.rules.languages) {
            Judgement::Right => return,
            Judgement::Withdrawn(right) => {
                let text = format!(
                    "'{stated}' is no longer considered a correct display for code '{code}' (status = deprecated). The \
                     correct display is one of \"{}\".",
                    right.join("\", \"")
                );
                Issue::warning("invalid", "display-comment", "INACTIVE_DISPLAY_FOUND", text).quiet()
            }
            Judgement::RightInOther => {
                let text = format!(
                    "There are no valid display names found for the code {url}#{code} for language(s) '{languages}'. The \
                     display is '{stated}' which is a valid display for the default language"
                );
                let id = "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_OK";
                Issue::information("invalid", "invalid-display", id, text)
            }
            Judgement::WrongInOther(default) => {
                let text = format!(
                    "Wrong Display Name '{stated}' for {url}#{code}. There are no valid display names found for \
                     language(s) '{languages}'. Default display is '{}'",
                    default.unwrap_or("")
                );
                let id = "NO_VALID_DISPLAY_FOUND_NONE_FOR_LANG_ERR";
                Issue::error("invalid", "invalid-display", id, text).with(wrong)
            }
            Judgement::Wrong { right, spaces } => {
                let (what, id) = match spaces {
                    true => (
                        "whitespace in Display Name",
                        "Display_Name_WS_for__should_be_one_of__instead_of",
                    ),
                    false => ("Display Name", "Display_Name_for__should_be_one_of__instead_of"),
                };
                let text = format!(
                    "Wrong {what} '{stated}' for {url}#{code}. Valid display is {} (for the language(s) '{languages}')",
                    choices(&right)
                );
                Issue::error("invalid", "invalid-display", id, text).with(wrong)
            }
        };
        self.issues.push(issue.at(asked.place.of("display")));
    }
}

/// The displays, each with its language, as a message lists them.
fn choices(displays: &[Display<'_>]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for display in displays {
        let text = match display.language {
            Some(language) => format!("'{}' ({language})", display.text),
            None => format!("'{}'", display.text),
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match texts.as_slice() {
        [one] => one.clone(),
        [first @ .., last] => format!("one of {} choices: {} or {last}", texts.len(), first.join(", ")),
        [] => "not known".to_owned(),
    }
}

/// Whether a URI has a scheme.
fn is_absolute(uri: &str) -> bool {
    uri.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+.-".contains(&b))
    })
}
