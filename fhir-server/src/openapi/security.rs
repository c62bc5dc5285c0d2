//! How callers say who they are: an access token (a JWT) as a bearer, got by SMART's flows or otherwise; the sandbox takes requests without
//! one (<https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html>).
//!
//! Invariant: a scope that stands at an operation is the one that the policy of scopes asks for.

use fhir_validate::schema::Json;
use utoipa::openapi::security::SecurityRequirement;

use super::endpoint::Endpoint;
use crate::interaction::{Interaction, Level};
use crate::operation::{Offered, Operations};
use crate::scopes::Permission;

const BEARER: &str = "bearer";
const SMART: &str = "smart";

/// Stands for all types.
const ALL: &str = "*";

const BEARER_WORDS: &str = "An access token of an issuer that the server trusts, as a JWT. The sandbox asks for none; `fhir-server token` makes \
                            one for a person of its records.";
const SMART_WORDS: &str = "SMART App Launch. The addresses are those of the sandbox's own authority; those of any other server stand at \
                           `[base]/.well-known/smart-configuration`. Letters may be taken together, as in `user/Patient.rs`.";

/// The first word of a scope, and whose data it is about.
const LEVELS: [(&str, &str); 3] = [
    ("patient", "of the patient in context"),
    ("user", "that the user may reach"),
    ("system", "that the program may reach"),
];

const LETTERS: [(Permission, &str); 5] = [
    (Permission::Create, "create"),
    (Permission::Read, "read"),
    (Permission::Update, "update"),
    (Permission::Delete, "delete"),
    (Permission::Search, "search for"),
];

/// The schemes, with the scopes for those types.
pub(super) fn schemes(types: &[&'static str]) -> Json {
    let bearer = [
        ("type", text("http")),
        ("scheme", text("bearer")),
        ("bearerFormat", text("JWT")),
        ("description", text(BEARER_WORDS)),
    ];
    let token = ("tokenUrl", text("/auth/token"));
    let scopes = ("scopes", scopes(types));
    let code = Json::object([
        ("authorizationUrl", text("/auth/authorize")),
        token.clone(),
        scopes.clone(),
    ]);
    let flows = Json::object([
        ("authorizationCode", code),
        ("clientCredentials", Json::object([token, scopes])),
    ]);
    let smart = [
        ("type", text("oauth2")),
        ("description", text(SMART_WORDS)),
        ("flows", flows),
    ];
    Json::object([(BEARER, Json::object(bearer)), (SMART, Json::object(smart))])
}

fn text(words: &str) -> Json {
    Json::String(words.to_owned())
}

fn scopes(types: &[&'static str]) -> Json {
    let mut scopes = Vec::new();
    for (level, whose) in LEVELS {
        for name in types.iter().copied().chain([ALL]) {
            for (letter, does) in LETTERS {
                let what = if name == ALL { "resources" } else { name };
                scopes.push((
                    scope(level, name, letter),
                    Json::String(format!("May {does} {what} {whose}")),
                ));
            }
        }
    }
    let operations = Operations::builtin();
    let is_shown = |offered: &&Offered| {
        types
            .iter()
            .any(|name| offered.runs_on(Level::Instance, Some(name)))
    };
    for offered in operations.all().filter(is_shown) {
        if let Some(own) = offered.operation.scope() {
            let what = format!(
                "May call ${}, for a program that acts for no user",
                offered.operation.code()
            );
            scopes.push((own.to_owned(), Json::String(what)));
        }
    }
    Json::Object(scopes)
}

fn scope(level: &str, name: &str, letter: Permission) -> String {
    format!("{level}/{name}.{}", letter.letter())
}

/// What an operation asks for, one of these; nothing where it is open to everybody.
pub(super) fn of(
    endpoint: &Endpoint,
    resource_type: Option<&'static str>,
) -> Option<Vec<SecurityRequirement>> {
    let offered = endpoint.offered.as_ref();
    if let Some(own) = offered.and_then(|offered| offered.operation.scope()) {
        return Some(vec![SecurityRequirement::new(SMART, [own])]);
    }
    let letters: &[Permission] = match endpoint.interaction {
        Interaction::Capabilities => return None,
        // Each of their requests asks for a scope of its own.
        Interaction::Batch | Interaction::Transaction => &[],
        Interaction::Operation if offered.is_some_and(Offered::affects_state) => &[Permission::Update],
        Interaction::Operation => &[Permission::Read, Permission::Search],
        other => &Permission::of(other).map_or([Permission::Update], |letter| [letter]),
    };
    let name = resource_type
        .filter(|_| !endpoint.is_compartment())
        .unwrap_or(ALL);
    let none = || Vec::<String>::new();
    let mut all = vec![
        SecurityRequirement::default(),
        SecurityRequirement::new(BEARER, none()),
    ];
    if letters.is_empty() {
        all.push(SecurityRequirement::new(SMART, none()));
    }
    for (level, _) in LEVELS {
        all.extend(
            letters
                .iter()
                .map(|letter| SecurityRequirement::new(SMART, [scope(level, name, *letter)])),
        );
    }
    Some(all)
}
