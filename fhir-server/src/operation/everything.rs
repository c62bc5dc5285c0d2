//! `$everything`: all that is known of a patient, or of an encounter, page by page
//! (<https://hl7.org/fhir/R4/patient-operation-everything.html>, <https://hl7.org/fhir/R4/encounter-operation-everything.html>).

use fhir_model::OperationDefinition;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::{Session, not_found};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Request, search};
use crate::store::Change;

/// `$everything`
pub(super) struct Everything;

/// Arguments that go to the search as they are.
const PASSED: [&str; 5] = ["start", "end", "_since", "_count", "_page"];

impl Operation for Everything {
    fn code(&self) -> &'static str {
        "everything"
    }

    fn definition(&self) -> OperationDefinition {
        let input = |name, bounds, kind, words| parameter(name, "in", bounds, kind, words);
        let once = (0, "1");
        OperationDefinition {
            url: "http://hl7.org/fhir/OperationDefinition/Patient-everything".into(),
            name: "Everything".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "The resource, all that belongs to its compartment, and what that refers to outside of it, in pages.".into(),
            affects_state: false.into(),
            resource: vec!["Patient".into(), "Encounter".into()],
            system: false.into(),
            type_: false.into(),
            instance: true.into(),
            parameter: vec![
                input("start", once, "date", "Only care given on this day or later, and what has no date of care."),
                input("end", once, "date", "Only care given on this day or earlier, and what has no date of care."),
                input("_since", once, "instant", "Only resources changed at this time or later."),
                input("_type", (0, "*"), "code", "Only resources of these types."),
                input("_count", once, "integer", "How many members of the compartment a page has."),
                input("_page", once, "string", "The rest of the link that the page before gave."),
                parameter("return", "out", (1, "1"), "Bundle", "A Bundle of type searchset."),
            ],
            ..OperationDefinition::default()
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let centre = call.the_key()?.clone();
            match session.read(&centre).await? {
                None => return Err(not_found(&centre)),
                Some(version) if version.change == Change::Delete => {
                    return Err(Error::new(ErrorCode::Gone, format!("{centre} was deleted.")));
                }
                Some(_) => {}
            }
            let mut request = Request::new(Interaction::SearchSystem, call.request.base.clone());
            // An argument that is not understood is never passed over.
            request.strict_handling = Some(true);
            for name in PASSED {
                let value = call.arguments.text(name);
                request.query.extend(value.map(|value| (name.to_owned(), value)));
            }
            let types: Vec<String> = call.arguments.texts("_type");
            if !types.is_empty() {
                request.query.push(("_type".to_owned(), types.join(",")));
            }
            search::everything(session, &request, search::Everything { centre })
                .await
                .map(Done::Answer)
        }
        .boxed()
    }
}
