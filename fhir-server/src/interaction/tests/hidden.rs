//! What the policy hides does not show in any part of a search that looks at other resources, at what is contained, or at words.

use super::*;
use crate::policy::{Access, Decision, Mask};
use crate::store::{Filter, ResourceType};

/// Hides everything of one id.
struct HidesOneId;

impl Policy for HidesOneId {
    fn decide(&self, _: &Context, _: &Access<'_>) -> crate::error::Result<Decision> {
        let hidden = Filter::Ids(vec!["hidden".into()]);
        Ok(Decision::permit(Filter::Not(Box::new(hidden))))
    }
}

const SEEN: [(&str, &str); 8] = [
    (
        "Patient/seen",
        r#"{"resourceType":"Patient","id":"seen","name":[{"family":"Ash"}]}"#,
    ),
    (
        "Questionnaire/seen",
        r#"{"resourceType":"Questionnaire","id":"seen","url":"http://a.example/seen","title":"Open","status":"active"}"#,
    ),
    (
        "QuestionnaireResponse/seen",
        r#"{"resourceType":"QuestionnaireResponse","id":"seen","questionnaire":"http://a.example/q","status":"completed"}"#,
    ),
    (
        "Observation/seen",
        r##"{"resourceType":"Observation","id":"seen","status":"final","code":{"text":"x"},"subject":{"reference":"#p"},
        "contained":[{"resourceType":"Patient","id":"p","name":[{"family":"Birch"}],"managingOrganization":{"reference":"Organization/hidden"}}]}"##,
    ),
    (
        "Condition/seen",
        r#"{"resourceType":"Condition","id":"seen","subject":{"reference":"Patient/seen"},"code":{"text":"open words"}}"#,
    ),
    (
        "Practitioner/seen",
        r#"{"resourceType":"Practitioner","id":"seen","name":[{"family":"Cole"}]}"#,
    ),
    (
        "List/seen",
        r#"{"resourceType":"List","id":"seen","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/seen"}}]}"#,
    ),
    (
        "Organization/seen",
        r#"{"resourceType":"Organization","id":"seen","name":"Open"}"#,
    ),
];

const HIDDEN: [(&str, &str); 7] = [
    (
        "Questionnaire/hidden",
        r#"{"resourceType":"Questionnaire","id":"hidden","url":"http://a.example/q","title":"Secret","status":"active"}"#,
    ),
    (
        "QuestionnaireResponse/hidden",
        r#"{"resourceType":"QuestionnaireResponse","id":"hidden","questionnaire":"http://a.example/seen","status":"stopped"}"#,
    ),
    (
        "Observation/hidden",
        r##"{"resourceType":"Observation","id":"hidden","status":"final","code":{"text":"x"},"subject":{"reference":"#p"},
        "contained":[{"resourceType":"Patient","id":"p","name":[{"family":"Secret"}]}]}"##,
    ),
    (
        "Condition/hidden",
        r#"{"resourceType":"Condition","id":"hidden","subject":{"reference":"Patient/seen"},"text":{"status":"generated",
        "div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">secret words</div>"}}"#,
    ),
    (
        "Practitioner/hidden",
        r#"{"resourceType":"Practitioner","id":"hidden","name":[{"family":"Ashen"}]}"#,
    ),
    (
        "List/hidden",
        r#"{"resourceType":"List","id":"hidden","status":"current","mode":"working","entry":[{"item":{"reference":"Patient/seen"}}]}"#,
    ),
    (
        "Organization/hidden",
        r#"{"resourceType":"Organization","id":"hidden","name":"Secret"}"#,
    ),
];

/// The same data, with and without what is hidden, seen under the policy.
fn servers() -> [TestServer; 2] {
    [true, false].map(|with| {
        let mut settings = Settings {
            update_as_create: true,
            ..Settings::default()
        };
        settings.search.full_text = true;
        let open = TestServer::with_policy(settings.clone(), Arc::new(PermitAll));
        let hidden = HIDDEN.iter().filter(|_| with);
        for (url, body) in hidden.chain(&SEEN) {
            open.put(url, body).unwrap();
        }
        TestServer::over(
            open.store.clone(),
            open.clock.clone(),
            settings,
            Arc::new(HidesOneId),
        )
    })
}

#[test]
fn every_search_is_answered_as_if_the_hidden_did_not_exist() {
    let [with, without] = servers();
    for url in [
        "QuestionnaireResponse?questionnaire.title=secret",
        "QuestionnaireResponse?_include=QuestionnaireResponse:questionnaire",
        "QuestionnaireResponse?_include=*",
        "Questionnaire?_has:QuestionnaireResponse:questionnaire:status=stopped",
        "Questionnaire?_revinclude=QuestionnaireResponse:questionnaire",
        "Patient?_contained=true",
        "Patient?_contained=both",
        "Patient?_contained=true&_containedType=contained",
        "Patient?_contained=both&_containedType=contained",
        "Patient?family=secret&_contained=true",
        "Patient?_contained=true&_summary=count",
        "Observation?subject:Patient.family=secret",
        "Observation?subject:Patient.family=birch",
        "Observation?subject:Patient.organization.name=secret",
        "Patient?organization.name=secret&_contained=true",
        "Condition?_text=secret",
        "Condition?_content=words",
        "?_content=secret",
        "Condition?_content=NOT open",
        "Patient?_has:Condition:subject:_text=secret",
        "Patient/_history?_list=hidden",
        "_history?_list=hidden",
        "Patient/seen/_history?_list=hidden",
        "Patient/seen/_history?_list=seen",
        "?_type=Patient,Practitioner&_sort=family",
        "?_type=Patient,Practitioner&_sort=-family&_summary=count",
    ] {
        let answer = |server: &TestServer| match server.get(url) {
            Ok(_) => parts(&server.json(url)),
            Err(error) => panic!("{url}: {:?}", error.issues),
        };
        assert_eq!(answer(&with), answer(&without), "{url}");
    }
}

/// The total and the entries of a Bundle, without what is made anew for each.
fn parts(bundle: &serde_json::Value) -> String {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let resources: Vec<String> = entries
        .iter()
        .map(|entry| {
            format!(
                "{} {} {}",
                entry["fullUrl"], entry["search"]["mode"], entry["resource"]["name"]
            )
        })
        .collect();
    format!("{} {}", bundle["total"], resources.join("\n"))
}

#[test]
fn what_is_not_hidden_is_found_so() {
    let [server, _] = servers();
    for (url, wanted) in [
        ("Patient?_contained=true", "Observation/seen"),
        (
            "Patient?family=birch&_contained=true&_containedType=contained",
            "Observation/seen#p",
        ),
        ("Observation?subject:Patient.family=birch", "Observation/seen"),
        ("Condition?_content=open", "Condition/seen"),
        ("Patient/_history?_list=seen", "Patient/seen"),
    ] {
        let bundle = server.json(url);
        assert_eq!(bundle["entry"][0]["fullUrl"], format!("{BASE}/{wanted}"), "{url}");
        assert!(bundle["entry"][1].is_null(), "{url}: {bundle}");
    }
}

/// Takes what is contained and the address out of patients that are labelled so.
struct MasksAddresses;

impl Policy for MasksAddresses {
    fn decide(&self, _: &Context, _: &Access<'_>) -> crate::error::Result<Decision> {
        let patient = ResourceType::from_name("Patient").unwrap();
        let label = [("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R")];
        let mask = Mask::new(patient, &label, &["address", "contained"]);
        Ok(Decision::permit(Filter::All).with_mask(mask))
    }
}

#[test]
fn what_a_mask_hides_is_found_neither_by_words_nor_inside() {
    let mut settings = Settings {
        update_as_create: true,
        ..Settings::default()
    };
    settings.search.full_text = true;
    let open = TestServer::with_policy(settings.clone(), Arc::new(PermitAll));
    let patient = |id: &str, meta: &str| {
        format!(
            r##"{{"resourceType":"Patient","id":"{id}",{meta}"address":[{{"city":"Leeds"}}],"managingOrganization":{{"reference":"#o"}},
            "contained":[{{"resourceType":"Organization","id":"o","name":"Bramley"}}]}}"##
        )
    };
    let label = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]},"#;
    open.put("Patient/open", &patient("open", "")).unwrap();
    open.put("Patient/masked", &patient("masked", label)).unwrap();
    let server = TestServer::over(
        open.store.clone(),
        open.clock.clone(),
        settings,
        Arc::new(MasksAddresses),
    );
    for url in [
        "Patient?_content=leeds",
        "?_content=bramley",
        "Patient?organization.name=bramley",
        "Organization?name=bramley&_contained=true",
        "Organization?_contained=both&_containedType=contained",
    ] {
        let urls = |server: &TestServer| {
            let bundle = server.json(url);
            let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
            entries
                .iter()
                .map(|e| e["fullUrl"].to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(urls(&open).len(), 2, "{url}");
        let seen = urls(&server);
        assert!(
            seen.len() == 1 && seen[0].contains("Patient/open"),
            "{url}: {seen:?}"
        );
    }
}
