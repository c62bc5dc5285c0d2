//! Rows of numbers, quantities, ranges, money and sampled data.

use super::*;

#[test]
fn numbers_are_points_and_ranges() {
    let risk = |probability: &str| {
        format!(
            r#"{{"resourceType":"RiskAssessment","status":"final","subject":{{"reference":"Patient/1"}},"prediction":[{{{probability}}}]}}"#
        )
    };
    assert_eq!(
        values(&risk(r#""probabilityDecimal":0.25"#), "probability"),
        ["0.25..0.25"]
    );
    let range = risk(r#""probabilityRange":{"low":{"value":1},"high":{"value":2}}"#);
    assert_eq!(values(&range, "probability"), ["1..2"]);
    assert_eq!(
        values(&risk(r#""probabilityRange":{"high":{"value":2}}"#), "probability"),
        ["-inf..2"]
    );
    let sequence =
        r#"{"resourceType":"MolecularSequence","coordinateSystem":0,"variant":[{"start":7,"end":9}]}"#;
    assert_eq!(values(sequence, "variant-start"), ["7..7"]);
}

fn observation_of(value: &str) -> String {
    format!(r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},{value}}}"#)
}

#[test]
fn quantities_are_kept_in_their_unit_and_in_base_units() {
    for (quantity, value, canonical) in [
        (
            format!(r#""value":5,{MG}"#),
            "5..5 http://unitsofmeasure.org mg milligram",
            Some("0.005..0.005 - g -"),
        ),
        (
            format!(r#""value":5,"comparator":"<=",{MG}"#),
            "-inf..5 http://unitsofmeasure.org mg milligram",
            Some("-inf..0.005 - g -"),
        ),
        (
            format!(r#""value":5,"comparator":">=",{MG}"#),
            "5..inf http://unitsofmeasure.org mg milligram",
            Some("0.005..inf - g -"),
        ),
        (r#""value":5,"unit":"mg""#.to_owned(), "5..5 - - mg", None),
        (r#""value":5"#.to_owned(), "5..5 - - -", None),
        (
            r#""value":5,"system":"urn:u","code":"mg""#.to_owned(),
            "5..5 urn:u mg -",
            None,
        ),
        (
            r#""value":5,"system":"http://unitsofmeasure.org","code":"[wat]""#.to_owned(),
            "5..5 http://unitsofmeasure.org [wat] -",
            None,
        ),
    ] {
        let observation = observation_of(&format!(r#""valueQuantity":{{{quantity}}}"#));
        assert_eq!(values(&observation, "value-quantity"), [value], "{quantity}");
        let found = values_of(&observation, "value-quantity", Aspect::Canonical);
        assert_eq!(found, canonical.into_iter().collect::<Vec<_>>(), "{quantity}");
    }
}

#[test]
fn an_excluded_bound_is_not_the_bound() {
    let observation = observation_of(&format!(r#""valueQuantity":{{"value":5,"comparator":"<",{MG}}}"#));
    let number = number("Observation", "value-quantity");
    for (aspect, bound) in [(Aspect::Value, 5.0), (Aspect::Canonical, 0.005_f64)] {
        let index = index(&observation);
        let row = index
            .rows()
            .iter()
            .find(|row| row.parameter == number.of(aspect))
            .unwrap();
        let IndexValue::Quantity { low, high, .. } = row.value else {
            panic!()
        };
        assert_eq!((low, high), (f64::NEG_INFINITY, bound.next_down()));
    }
}

#[test]
fn ranges_money_and_ages_are_quantities() {
    let condition = |onset: &str| {
        format!(r#"{{"resourceType":"Condition","subject":{{"reference":"Patient/1"}},{onset}}}"#)
    };
    let year = r#""system":"http://unitsofmeasure.org","code":"a""#;
    let age = condition(&format!(r#""onsetAge":{{"value":40,{year}}}"#));
    assert_eq!(
        values(&age, "onset-age"),
        ["40..40 http://unitsofmeasure.org a -"]
    );
    let range = condition(&format!(
        r#""onsetRange":{{"low":{{"value":40,{year}}},"high":{{"value":50,{year}}}}}"#
    ));
    assert_eq!(
        values(&range, "onset-age"),
        ["40..50 http://unitsofmeasure.org a -"]
    );
    let open = condition(&format!(r#""onsetRange":{{"low":{{"value":40,{year}}}}}"#));
    assert_eq!(
        values(&open, "onset-age"),
        ["40..inf http://unitsofmeasure.org a -"]
    );
    let months = condition(&format!(
        r#""onsetRange":{{"low":{{"value":6,"system":"http://unitsofmeasure.org","code":"d"}},"high":{{"value":2,{year}}}}}"#
    ));
    assert_eq!(values(&months, "onset-age"), [""; 0]);
    assert_eq!(
        values_of(&months, "onset-age", Aspect::Canonical),
        ["518400..63115200 - s -"]
    );
    let invoice = r#"{"resourceType":"Invoice","status":"issued","totalNet":{"value":9.5,"currency":"GBP"}}"#;
    assert_eq!(
        values(invoice, "totalnet"),
        ["9.5..9.5 urn:iso:std:iso:4217 GBP -"]
    );
}

#[test]
fn sampled_data_spans_its_samples() {
    let sampled = |data: &str| {
        observation_of(&format!(
            r#""valueSampledData":{{"origin":{{"value":10,{MG}}},"period":1,"factor":2,"dimensions":1,"data":"{data}"}}"#
        ))
    };
    assert_eq!(
        values(&sampled("3 E -1 2"), "value-quantity"),
        ["8..16 http://unitsofmeasure.org mg milligram"]
    );
    assert_eq!(
        values_of(&sampled("3 -1"), "value-quantity", Aspect::Canonical),
        ["0.008..0.016 - g -"]
    );
    assert_eq!(
        values(&sampled("L 3"), "value-quantity"),
        ["-inf..16 http://unitsofmeasure.org mg milligram"]
    );
    assert_eq!(values(&sampled("E"), "value-quantity"), [""; 0]);
}
