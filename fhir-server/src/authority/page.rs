//! The pages of the authority: plain HTML without script, so that it works with a keyboard, a screen reader and no JavaScript.
//!
//! Invariant: nothing of a request stands in a page unescaped.

use super::authorize::Asked;
use super::{Authority, Params, Person};
use crate::context::PrincipalKind;

const STYLE: &str = "body{font:1.1rem/1.5 Arial,sans-serif;max-width:44rem;margin:2rem auto;padding:0 1rem;color:#212b32}\
    fieldset{border:0;padding:0;margin:1.5rem 0}legend{font-weight:bold}label{display:block;padding:.4rem}\
    label:focus-within{outline:3px solid #ffb81c}input{margin-right:.6rem;transform:scale(1.3)}\
    button{font:inherit;font-weight:bold;padding:.6rem 1.2rem;background:#007f3b;color:#fff;border:0;margin-right:1rem}\
    button.no{background:#4c6272}button:focus{outline:3px solid #ffb81c}small{color:#4c6272}\
    .note{background:#fff9c4;padding:.8rem}";

/// A page with an error.
pub(super) fn error(text: &str) -> String {
    page(
        "This does not work",
        &format!(
            "<p>{}</p><p>The app that sent you here must be set up differently.</p>",
            escaped(text)
        ),
    )
}

/// The page on which a person of the sandbox says who they are, for whom, and to what they agree.
pub(super) fn login(authority: &Authority, asked: &Asked<'_>, params: &Params) -> String {
    let app = &asked.app.config;
    let name = app.name.as_deref().unwrap_or(&app.client_id);
    let launched = asked.launched.as_ref();
    let mut form = String::new();
    for hidden in HIDDEN {
        for value in params.all(hidden) {
            form.push_str(&format!(
                "<input type=\"hidden\" name=\"{hidden}\" value=\"{}\">",
                escaped(value)
            ));
        }
    }
    form.push_str("<input type=\"hidden\" name=\"consent\" value=\"1\">");
    if launched.and_then(|launched| launched.person.as_ref()).is_none() {
        let chosen = params.all("person").next();
        form.push_str(&choice(
            "person",
            "Who are you?",
            authority.people.iter(),
            chosen,
            true,
        ));
    }
    if launched.and_then(|launched| launched.patient.as_ref()).is_none() {
        let patients = authority
            .people
            .iter()
            .filter(|person| person.user.resource_type.name() == "Patient");
        let legend = "Which patient, if you are at work? (A patient or their proxy needs no choice here.)";
        form.push_str(&choice("patient", legend, patients, None, false));
    }
    if asked.scopes.has("launch/encounter")
        && launched
            .and_then(|launched| launched.encounter.as_ref())
            .is_none()
    {
        form.push_str(ENCOUNTER);
    }
    form.push_str("<fieldset><legend>What may the app do?</legend>");
    let scopes = asked.scopes.resources.iter().map(ToString::to_string);
    for scope in asked.scopes.other.iter().cloned().chain(scopes) {
        let scope = escaped(&scope);
        form.push_str(&format!(
            "<label><input type=\"checkbox\" name=\"granted\" value=\"{scope}\" checked>{scope}</label>"
        ));
    }
    form.push_str("</fieldset><button>Allow</button><button class=\"no\" name=\"deny\" value=\"1\" formnovalidate>Do not allow</button>");
    page(
        &format!("{} asks for access", escaped(name)),
        &format!(
            "<p class=\"note\">This is a sandbox: everybody here is invented, and nobody is asked for a password.</p>\
             <form method=\"post\" action=\"{}\">{form}</form>",
            escaped(&authority.url("/authorize"))
        ),
    )
}

/// The parameters of the app's request that the form sends again.
const HIDDEN: [&str; 11] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "aud",
    "launch",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
];

/// An Encounter, by its id.
const ENCOUNTER: &str = "<fieldset><legend>In which encounter?</legend><label>Its id <input name=\"encounter\" maxlength=\"64\"></label></fieldset>";

/// The page from which an app is launched with a patient.
pub(super) fn launch(authority: &Authority) -> String {
    let mut form = String::from("<fieldset><legend>Which app?</legend>");
    let apps = authority
        .apps
        .iter()
        .filter(|app| app.config.launch_uri.is_some());
    for app in apps {
        let id = escaped(&app.config.client_id);
        let name = escaped(app.config.name.as_deref().unwrap_or(&app.config.client_id));
        form.push_str(&format!(
            "<label><input type=\"radio\" name=\"client_id\" value=\"{id}\" required>{name}</label>"
        ));
    }
    form.push_str("</fieldset>");
    let staff = authority
        .people
        .iter()
        .filter(|person| person.kind() == PrincipalKind::Clinician);
    form.push_str(&choice("person", "Who are you?", staff, None, true));
    let patients = authority
        .people
        .iter()
        .filter(|person| person.user.resource_type.name() == "Patient");
    form.push_str(&choice("patient", "With which patient?", patients, None, true));
    form.push_str(ENCOUNTER);
    form.push_str("<button>Launch</button>");
    page(
        "Launch an app",
        &format!(
            "<form method=\"get\" action=\"{}\">{form}</form>",
            escaped(&authority.url("/launch"))
        ),
    )
}

fn choice<'p>(
    name: &str,
    legend: &str,
    people: impl Iterator<Item = &'p Person>,
    chosen: Option<&str>,
    required: bool,
) -> String {
    let mut html = format!("<fieldset><legend>{legend}</legend>");
    let required = if required { " required" } else { "" };
    for person in people {
        let id = escaped(&person.user.id);
        let checked = if chosen == Some(person.user.id.as_str()) {
            " checked"
        } else {
            ""
        };
        html.push_str(&format!(
            "<label><input type=\"radio\" name=\"{name}\" value=\"{id}\"{required}{checked}>{} <small>{}</small></label>",
            escaped(&person.name),
            escaped(&person.about)
        ));
    }
    html + "</fieldset>"
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en-GB\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main></body></html>"
    )
}

/// Text as it may stand in HTML, in an attribute too.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            c => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_request_is_markup() {
        let page = error("<script>alert('x')</script>&\"");
        assert!(
            page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;"),
            "{page}"
        );
        assert!(!page.contains("<script"));
    }
}
