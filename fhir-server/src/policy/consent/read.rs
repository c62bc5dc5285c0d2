//! From a Consent to a [`Directive`].

use fhir_model::{
    CodeableConcept, Coding, Consent, ConsentProvision, ConsentProvisionActor, ConsentProvisionData,
    Reference,
};
use jiff::tz::TimeZone;

use super::super::identity::identifier_of;
use super::super::period::span_of;
use super::codes::{self, canonical};
use super::directive::{Actor, Class, Data, Directive, Doubt, Meaning, Provision, Verdict};
use crate::search::case;
use crate::search::extract::local_reference;
use crate::store::{Key, ResourceType};

/// The system of scopes.
const SCOPES: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// Provisions within each other at most, and provisions of one Consent.
const MOST: usize = 500;
/// The category of the National Data Opt-Out.
const OPT_OUT: &str = "national-data-opt-out";

/// The rules of an active Consent; `None` where it is not about who may see what.
pub(crate) fn directive(key: &Key, consent: &Consent, zone: &TimeZone) -> Option<Directive> {
    let mut reader = Reader {
        zone,
        doubts: Vec::new(),
        opaque: None,
        left: MOST,
    };
    let about = reader.scope(consent)?;
    let patient = consent.patient.as_deref();
    let mut root = match &consent.provision {
        Some(provision) => reader.provision(provision, "Consent.provision"),
        None => Provision {
            at: "Consent".into(),
            reads: true,
            ..Provision::default()
        },
    };
    if root.verdict.is_none() {
        root.verdict = reader.base(consent);
    }
    if reader.is_opt_out(consent) {
        root = opt_out(root);
    }
    reader.modifiers(&consent.modifier_extension, "Consent");
    if consent.implicit_rules.as_str().is_some() {
        reader.give_up("Consent.implicitRules", "rules of its own apply to it");
    }
    Some(Directive {
        key: key.clone(),
        patient: patient.and_then(local_id),
        patient_identifier: patient.and_then(|p| identifier_of(p.identifier.as_deref()?)),
        about,
        root,
        opaque: reader.opaque,
        doubts: reader.doubts,
    })
}

/// A National Data Opt-Out denies what is beyond care, whatever else it says.
fn opt_out(root: Provision) -> Provision {
    let beyond = Provision {
        at: root.at.clone(),
        verdict: Some(Verdict::Deny),
        purposes: ["HRESCH", "HOPERAT", "PUBHLTH"].map(str::to_owned).to_vec(),
        reads: true,
        ..Provision::default()
    };
    Provision {
        verdict: None,
        exceptions: vec![beyond],
        actors: Vec::new(),
        purposes: Vec::new(),
        reads: true,
        ..Provision {
            at: root.at,
            period: root.period,
            ..Provision::default()
        }
    }
}

fn local_id(reference: &Reference) -> Option<String> {
    let key = local_reference(reference.reference.as_str()?, &[])?;
    (key.resource_type.name() == "Patient").then_some(key.id)
}

struct Reader<'z> {
    zone: &'z TimeZone,
    doubts: Vec<Doubt>,
    opaque: Option<String>,
    left: usize,
}

impl Reader<'_> {
    fn doubt(&mut self, at: impl Into<String>, why: impl Into<String>) {
        self.doubts.push(Doubt {
            at: at.into(),
            why: why.into(),
        });
    }

    /// All of the Consent is enforced as a denial.
    fn give_up(&mut self, at: &str, why: &str) {
        self.doubt(at, format!("all of the record is denied, as {why}"));
        self.opaque.get_or_insert_with(|| why.to_owned());
    }

    /// The purposes that the scope restricts it to; `None` where it is not about who may see what.
    fn scope(&mut self, consent: &Consent) -> Option<Vec<String>> {
        let mut known = None;
        for coding in consent.scope.iter().flat_map(|scope| &scope.coding) {
            if coding.system.as_str().map(canonical).as_deref() != Some(SCOPES) {
                continue;
            }
            match coding.code.as_str() {
                Some("patient-privacy") => return Some(Vec::new()),
                Some("research") => known = Some(Some(vec!["HRESCH".to_owned()])),
                Some("adr" | "treatment") => known = known.or(Some(None)),
                _ => {}
            }
        }
        known.unwrap_or_else(|| {
            self.give_up("Consent.scope", "its scope is not known");
            Some(Vec::new())
        })
    }

    fn is_opt_out(&self, consent: &Consent) -> bool {
        let codings = consent.category.iter().flat_map(|category| &category.coding);
        codings.into_iter().any(|coding| {
            let system = coding.system.as_str().unwrap_or_default();
            system.starts_with("https://fhir.nhs.uk/")
                && (coding.code.as_str() == Some(OPT_OUT) || system.ends_with("ndoo"))
        })
    }

    /// The decision for the whole record, where the root provision has none.
    fn base(&mut self, consent: &Consent) -> Option<Verdict> {
        let rules = consent.policy_rule.iter().flat_map(|rule| &rule.coding);
        for coding in rules {
            match coding.code.as_str() {
                Some("OPTIN" | "OPTINR") => return Some(Verdict::Permit),
                Some("OPTOUT" | "OPTOUTE") => return Some(Verdict::Deny),
                _ => {}
            }
        }
        let said = consent.policy_rule.is_some() || !consent.policy.is_empty();
        if said {
            self.doubt(
                "Consent.policyRule",
                "the policy is not known, so that what no provision decides is left to the rules of the organisation",
            );
        }
        None
    }

    fn modifiers(&mut self, extensions: &[fhir_model::Extension], at: &str) {
        if let Some(extension) = extensions.first() {
            let url = extension.url.as_deref().unwrap_or("an extension").to_owned();
            self.give_up(
                &format!("{at}.modifierExtension"),
                &format!("{url} changes its meaning and is not known"),
            );
        }
    }

    fn provision(&mut self, from: &ConsentProvision, at: &str) -> Provision {
        if self.left == 0 {
            self.give_up(at, "it has more provisions than are read");
            return Provision::default();
        }
        self.left -= 1;
        self.modifiers(&from.modifier_extension, at);
        let mut made = Provision {
            at: at.to_owned(),
            verdict: self.verdict(from, at),
            ..Provision::default()
        };
        made.period = self.period(from.period.as_deref(), &format!("{at}.period"), &mut made.vague);
        made.data_period = self.period(
            from.data_period.as_deref(),
            &format!("{at}.dataPeriod"),
            &mut made.vague,
        );
        made.reads = self.reads(&from.action, at);
        for (i, actor) in from.actor.iter().enumerate() {
            made.actors.push(self.actor(actor, &format!("{at}.actor[{i}]")));
        }
        self.purposes(&from.purpose, at, &mut made);
        self.labels(&from.security_label, at, &mut made);
        self.classes(&from.class, at, &mut made);
        self.codes(&from.code, at, &mut made);
        for (i, data) in from.data.iter().enumerate() {
            self.data(data, &format!("{at}.data[{i}]"), &mut made);
        }
        for (i, inner) in from.provision.iter().enumerate() {
            let inner = self.provision(inner, &format!("{at}.provision[{i}]"));
            made.exceptions.push(inner);
        }
        made
    }

    fn verdict(&mut self, from: &ConsentProvision, at: &str) -> Option<Verdict> {
        match from.type_.as_str() {
            Some("permit") => Some(Verdict::Permit),
            Some("deny") => Some(Verdict::Deny),
            Some(_) => {
                self.give_up(&format!("{at}.type"), "a provision neither permits nor denies");
                None
            }
            None if at == "Consent.provision" => None,
            None => {
                self.give_up(&format!("{at}.type"), "a provision within another has no type");
                Some(Verdict::Deny)
            }
        }
    }

    fn period(
        &mut self,
        period: Option<&fhir_model::Period>,
        at: &str,
        vague: &mut bool,
    ) -> Option<(i64, i64)> {
        let period = period?;
        let span = span_of(period, self.zone);
        if span.is_none() {
            self.doubt(
                at,
                "the period cannot be read, so that the provision, if it denies, is always in force",
            );
            *vague = true;
        }
        span
    }

    /// Whether any of the actions is a way of reading.
    fn reads(&mut self, actions: &[CodeableConcept], at: &str) -> bool {
        let mut other = false;
        for (i, action) in actions.iter().enumerate() {
            for coding in &action.coding {
                match coding.code.as_str() {
                    Some("access" | "disclose" | "use" | "read") => return true,
                    Some("collect" | "correct") => other = true,
                    _ => {
                        self.doubt(
                            format!("{at}.action[{i}]"),
                            "the action is not known and taken as one that reads",
                        );
                        return true;
                    }
                }
            }
        }
        !other
    }

    fn actor(&mut self, from: &ConsentProvisionActor, at: &str) -> Actor {
        self.modifiers(&from.modifier_extension, at);
        let reference = from.reference.as_deref();
        let roles = from.role.iter().flat_map(|role| &role.coding);
        let made = Actor {
            roles: roles
                .filter_map(|coding| coding.code.as_str())
                .map(str::to_owned)
                .collect(),
            key: reference.and_then(|r| local_reference(r.reference.as_str()?, &[])),
            identifier: reference.and_then(|r| identifier_of(r.identifier.as_deref()?)),
        };
        let named = made.key.is_some() || made.identifier.is_some();
        if !named && (reference.is_some_and(|r| r.reference.as_str().is_some()) || made.roles.is_empty()) {
            self.doubt(
                at,
                "nobody that this server knows is named: a denial is for everyone, a permission for nobody",
            );
        }
        made
    }

    fn purposes(&mut self, from: &[Coding], at: &str, made: &mut Provision) {
        for (i, coding) in from.iter().enumerate() {
            let code = coding.code.as_str().unwrap_or_default();
            let system = coding.system.as_str().map(canonical);
            let known = codes::is_purpose(code) && system.is_none_or(|s| s == codes::ACT_REASON);
            match known {
                true => made.purposes.push(code.to_owned()),
                false => {
                    self.doubt(
                        format!("{at}.purpose[{i}]"),
                        "the purpose is not known: a denial is for every purpose, a permission for none",
                    );
                    made.vague = true;
                }
            }
        }
    }

    fn labels(&mut self, from: &[Coding], at: &str, made: &mut Provision) {
        for (i, coding) in from.iter().enumerate() {
            match (coding.system.as_str(), coding.code.as_str()) {
                (Some(system), Some(code)) => {
                    let system = canonical(system);
                    if codes::is_confidentiality(&system) && codes::from_level(code, true).is_none() {
                        self.doubt(format!("{at}.securityLabel[{i}]"), "there is no such level");
                        made.vague = true;
                    }
                    made.labels.push((system, code.to_owned()));
                }
                _ => {
                    self.doubt(
                        format!("{at}.securityLabel[{i}]"),
                        "the label has no system or no code",
                    );
                    made.vague = true;
                }
            }
        }
    }

    fn classes(&mut self, from: &[Coding], at: &str, made: &mut Provision) {
        for (i, coding) in from.iter().enumerate() {
            let system = coding.system.as_str().map(canonical);
            let code = coding.code.as_str().unwrap_or_default();
            let known = match (system.as_deref(), ResourceType::from_name(code)) {
                (Some(codes::RESOURCE_TYPES) | None, Some(t)) => Some(Class::Type(t)),
                (Some("urn:ietf:rfc:3986") | None, None) if code.contains("://") => {
                    Some(Class::Profile(canonical(code)))
                }
                _ => None,
            };
            match known {
                Some(class) => made.classes.push(class),
                None => {
                    self.doubt(
                        format!("{at}.class[{i}]"),
                        "the class is neither a type nor the address of a profile",
                    );
                    made.vague = true;
                }
            }
        }
    }

    fn codes(&mut self, from: &[CodeableConcept], at: &str, made: &mut Provision) {
        for (i, concept) in from.iter().enumerate() {
            let mut any = false;
            for coding in &concept.coding {
                let Some(code) = coding.code.as_str() else {
                    continue;
                };
                let system = coding.system.as_str().map(canonical);
                let code = case::spelling(system.as_deref(), code).into_owned();
                made.codes.push((system, code));
                any = true;
            }
            if !any {
                self.doubt(
                    format!("{at}.code[{i}]"),
                    "words without a code cannot be looked for",
                );
                made.vague = true;
            }
        }
    }

    fn data(&mut self, from: &ConsentProvisionData, at: &str, made: &mut Provision) {
        self.modifiers(&from.modifier_extension, at);
        let meaning = match from.meaning.as_str() {
            Some("instance") => Some(Meaning::Instance),
            Some("related") => Some(Meaning::Related),
            Some("dependents") => Some(Meaning::Dependents),
            Some("authoredby") => Some(Meaning::AuthoredBy),
            _ => None,
        };
        let key = from
            .reference
            .as_deref()
            .and_then(|r| local_reference(r.reference.as_str()?, &[]));
        match (meaning, key) {
            (Some(meaning), Some(key)) => made.data.push(Data { meaning, key }),
            _ => {
                self.doubt(at, "which data is meant cannot be told: a denial is about all of it, a permission about none");
                made.vague = true;
            }
        }
    }
}
