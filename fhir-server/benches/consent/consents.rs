//! A consent of each patient: of twenty one refuses all, one refuses research, the others share for treatment and for research.

use crate::population::Population;

const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// Transactions that put them in, so many each.
pub(crate) fn transactions(population: &Population, each: u64) -> impl Iterator<Item = String> + '_ {
    let starts = (0..population.patients).step_by(usize::try_from(each).unwrap());
    starts.map(move |start| {
        let numbers = start..population.patients.min(start + each);
        let entries: Vec<String> = numbers
            .map(|number| entry(number, &population.person(number).id))
            .collect();
        format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            entries.join(",")
        )
    })
}

fn entry(number: u64, patient: &str) -> String {
    let (rule, inner) = match number % 20 {
        3 => ("OPTOUT", String::new()),
        13 => (
            "OPTIN",
            format!(
                r#","provision":[{{"type":"deny","purpose":[{{"system":"{REASON}","code":"HRESCH"}}]}}]"#
            ),
        ),
        _ => ("OPTIN", String::new()),
    };
    format!(
        r#"{{"resource":{{"resourceType":"Consent","id":"c-{patient}","status":"active","scope":{{"coding":[{{"system":"{SCOPE}","code":"patient-privacy"}}]}},"category":[{{"coding":[{{"system":"{ACT}","code":"INFA"}}]}}],"patient":{{"reference":"Patient/{patient}"}},"dateTime":"2024-06-03T10:15:00+01:00","policyRule":{{"coding":[{{"system":"{ACT}","code":"{rule}"}}]}},"provision":{{"period":{{"start":"2024-06-03"}}{inner}}}}},"request":{{"method":"PUT","url":"Consent/c-{patient}"}}}}"#
    )
}
