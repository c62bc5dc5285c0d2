//! What an app is told of its launch beside patient and encounter: `fhirContext`, `intent`, `tenant` and `smart_style_url`
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token>).
//!
//! Invariant: a Patient or an Encounter is in `fhirContext` only with a role other than `launch`: as what the launch is about, they have
//! parameters of their own.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Params, Refused};
use crate::search::extract::local_reference;

/// Resources that a launch names at most.
const MOST: usize = 20;
/// The longest intent.
const LONGEST: usize = 200;

/// What whoever launched an app tells it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// What else the launch is about.
    #[serde(default)]
    about: Vec<About>,
    /// What the app is launched for, in words on which the two have agreed.
    #[serde(default)]
    intent: Option<String>,
    /// The organisation that launches.
    #[serde(default)]
    pub(super) tenant: Option<String>,
}

/// A resource that a launch is about.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct About {
    reference: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

impl Told {
    /// What the page of launches says: `intent`, and `context` as often as there is something, each `Type/id`, or `Type/id role`.
    ///
    /// # Errors
    /// One of them cannot be told so.
    pub(super) fn read(params: &Params) -> Result<Told, Refused> {
        let about: Vec<About> = params
            .all("context")
            .filter(|text| !text.is_empty())
            .map(about)
            .collect::<Result<_, _>>()?;
        let intent = params.get("intent")?.map(str::to_owned);
        if about.len() > MOST || intent.as_ref().is_some_and(|text| text.len() > LONGEST) {
            return Err(Refused::request(
                "A launch names at most 20 resources, and an intent of 200 characters.",
            ));
        }
        Ok(Told {
            about,
            intent,
            tenant: None,
        })
    }

    /// Puts it into an answer of the token endpoint, or the claims of an access token.
    pub(super) fn tell(&self, members: &mut Map<String, Value>) {
        if !self.about.is_empty() {
            members.insert("fhirContext".into(), json!(self.about));
        }
        for (name, value) in [("intent", &self.intent), ("tenant", &self.tenant)] {
            members.extend(value.iter().map(|value| (name.to_owned(), json!(value))));
        }
    }
}

fn about(text: &str) -> Result<About, Refused> {
    let (reference, role) = match text.split_once(' ') {
        Some((reference, role)) => (reference, Some(role)),
        None => (text, None),
    };
    let key = local_reference(reference, &[]).filter(|key| key.to_string() == reference);
    let Some(key) = key else {
        return Err(Refused::request(
            "A context is a resource of this server: Type/id.",
        ));
    };
    let is_launch = role.is_none_or(|role| role == "launch");
    if is_launch && matches!(key.resource_type.name(), "Patient" | "Encounter") {
        return Err(Refused::request(
            "A Patient or an Encounter is in the context only with a role other than launch.",
        ));
    }
    // Roles that SMART does not define are absolute URIs.
    let formed = |role: &str| {
        role == "launch"
            || role.split_once(':').is_some_and(|(scheme, rest)| {
                !rest.is_empty()
                    && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
                    && role.bytes().all(|b| b.is_ascii_graphic())
            })
    };
    if role.is_some_and(|role| !formed(role)) {
        return Err(Refused::request(
            "The role of a context is launch, or an absolute URI.",
        ));
    }
    Ok(About {
        reference: reference.to_owned(),
        role: role.map(str::to_owned),
    })
}
