//! What tokens with some scopes may do, case by case.

use super::*;
use crate::search::Concept;

/// Knows no code.
struct NoTerminology;

impl Terminology for NoTerminology {
    fn members(&self, _: &str, _: usize) -> crate::error::Result<Vec<Concept>> {
        Err(crate::error::Error::internal("no terminology"))
    }

    fn below(&self, _: &str, _: &str, _: usize) -> crate::error::Result<Vec<Concept>> {
        Err(crate::error::Error::internal("no terminology"))
    }

    fn above(&self, _: &str, _: &str, _: usize) -> crate::error::Result<Vec<Concept>> {
        Err(crate::error::Error::internal("no terminology"))
    }
}

fn rule() -> ScopeRule {
    ScopeRule::new(&Settings::default(), Arc::new(NoTerminology))
}

fn user(scopes: &str) -> Principal {
    Principal::new("u", PrincipalKind::Clinician).with_scopes(Scopes::read(scopes))
}

fn of_type(name: &str) -> Option<ResourceType> {
    Some(ResourceType::from_name(name).unwrap())
}

fn decided(principal: Principal, interaction: Interaction, name: Option<&str>) -> Option<Filter> {
    let access = Access::new(interaction, name.and_then(of_type));
    match rule().decide(&Context::new(principal, "r"), &access).unwrap() {
        Decision::Permit { filter } => Some(filter),
        Decision::InsufficientScope { .. } => None,
        Decision::Deny { reason } => panic!("{reason}"),
    }
}

fn allows(principal: &Principal, interaction: Interaction, name: &str) -> bool {
    decided(principal.clone(), interaction, Some(name)).is_some()
}

#[test]
fn each_letter_allows_its_interactions_and_no_other_s_026() {
    use Interaction::*;
    let of_letter = [
        ('c', &[Create][..]),
        ('r', &[Read, Vread, HistoryInstance]),
        ('u', &[Update, Patch]),
        ('d', &[Delete]),
        ('s', &[SearchType, HistoryType]),
    ];
    for (letter, own) in of_letter {
        let principal = user(&format!("user/Observation.{letter}"));
        for &interaction in Interaction::ALL {
            if matches!(
                interaction,
                Capabilities | Batch | Transaction | SearchSystem | HistorySystem
            ) {
                continue;
            }
            let expected = own.contains(&interaction);
            assert_eq!(
                allows(&principal, interaction, "Observation"),
                expected,
                "{letter} {interaction:?}"
            );
            assert!(!allows(&principal, interaction, "Condition"));
        }
    }
}

#[test]
fn a_caller_without_a_token_is_not_asked_for_scopes_and_one_with_none_may_nothing() {
    assert_eq!(
        decided(
            Principal::sandbox_clinician(),
            Interaction::Delete,
            Some("Patient")
        ),
        Some(Filter::All)
    );
    for interaction in Interaction::ALL {
        let allowed = decided(user("openid launch user/Foo.rs"), *interaction, Some("Patient"));
        assert_eq!(
            allowed.is_some(),
            *interaction == Interaction::Capabilities,
            "{interaction:?}"
        );
    }
}

#[test]
fn a_scope_of_the_patients_level_needs_a_patient_s_029() {
    let scopes = "patient/*.cruds";
    assert_eq!(
        decided(user(scopes), Interaction::Read, Some("Observation")),
        None
    );
    assert_eq!(
        decided(
            user(scopes).with_patient(""),
            Interaction::Read,
            Some("Observation")
        ),
        None
    );
    for interaction in [
        Interaction::Read,
        Interaction::SearchType,
        Interaction::Create,
        Interaction::Delete,
    ] {
        let filter = decided(user(scopes).with_patient("p1"), interaction, Some("Observation")).unwrap();
        assert!(matches!(&filter, Filter::Or(any) if any.len() == 2), "{filter:?}");
    }
    let whole = decided(user(scopes).with_patient("p1"), Interaction::SearchSystem, None).unwrap();
    assert!(
        matches!(&whole, Filter::Or(any) if any.len() > 60),
        "all types of the compartment"
    );
}

#[test]
fn what_belongs_to_no_patient_is_read_where_it_is_shared_and_never_written_s_047() {
    let principal = || user("patient/*.cruds").with_patient("p1");
    assert_eq!(
        decided(principal(), Interaction::Read, Some("Organization")),
        Some(Filter::All)
    );
    assert_eq!(
        decided(principal(), Interaction::Update, Some("Organization")),
        None
    );
    assert_eq!(
        decided(principal(), Interaction::Read, Some("Subscription")),
        None
    );
}

#[test]
fn levels_belong_to_kinds_of_callers_s_031() {
    let client = |scopes: &str| {
        Principal::new("c", PrincipalKind::Client)
            .with_scopes(Scopes::read(scopes))
            .with_patient("p1")
    };
    assert!(allows(&client("system/Patient.r"), Interaction::Read, "Patient"));
    assert!(!allows(&client("user/Patient.r"), Interaction::Read, "Patient"));
    assert!(!allows(
        &client("patient/Patient.r"),
        Interaction::Read,
        "Patient"
    ));
    assert!(!allows(&user("system/Patient.r"), Interaction::Read, "Patient"));
}

#[test]
fn a_restriction_becomes_a_filter_or_grants_nothing_s_023() {
    let principal = user("user/Observation.rs?category=laboratory&_security=N");
    let Some(Filter::And(both)) = decided(principal, Interaction::SearchType, Some("Observation")) else {
        panic!("no restriction")
    };
    assert_eq!(both.len(), 2);
    for unenforceable in [
        "unknown=1",
        "category:not=laboratory",
        "subject:Patient.name=x",
        "subject.name=x",
        "_has:Provenance:target:agent=1",
        "_filter=status%20eq%20final",
        "_text=x",
        "_content=x",
        "_list=1",
        "date=yesterday",
        "value-quantity=gt",
        "category=laboratory&unknown=1",
    ] {
        let principal = user(&format!("user/Observation.rs?{unenforceable}"));
        for interaction in [Interaction::Read, Interaction::SearchType] {
            assert!(!allows(&principal, interaction, "Observation"), "{unenforceable}");
        }
    }
}

#[test]
fn a_restriction_of_every_type_grants_those_that_have_the_parameter() {
    let principal = user("user/*.rs?category=laboratory");
    assert!(allows(&principal, Interaction::Read, "Observation"));
    assert!(!allows(&principal, Interaction::Read, "Organization"));
    assert_eq!(decided(principal, Interaction::SearchSystem, None), None);
    let labelled = user("user/*.rs?_security=N");
    assert!(decided(labelled, Interaction::SearchSystem, None).is_some());
}

#[test]
fn scopes_are_ored_s_025() {
    let filter = |scopes: &str| {
        decided(
            user(scopes).with_patient("p1"),
            Interaction::Read,
            Some("Observation"),
        )
    };
    let lab = filter("user/Observation.rs?category=laboratory").unwrap();
    let vital = filter("user/Observation.rs?category=vital-signs").unwrap();
    let own = filter("patient/Observation.rs").unwrap();
    assert_eq!(
        filter("user/Observation.rs?category=laboratory user/Observation.rs?category=vital-signs"),
        Some(Filter::Or(vec![lab.clone(), vital]))
    );
    let both = filter("user/Observation.rs?category=laboratory patient/Observation.rs").unwrap();
    assert_eq!(both, or(lab.clone(), own));
    assert_eq!(
        filter("user/Observation.rs?category=laboratory user/*.r"),
        Some(Filter::All)
    );
    assert_eq!(
        filter("user/Observation.rs?category=laboratory user/Observation.rs?unknown=1"),
        Some(lab)
    );
}

#[test]
fn a_bundle_needs_some_scope_and_an_operation_one_about_its_type() {
    assert!(decided(user("user/Patient.r"), Interaction::Batch, None).is_some());
    assert!(decided(user("system/Patient.r"), Interaction::Transaction, None).is_none());
    let call = |scopes: &str, changes: bool| {
        let access = Access::of_operation("meta-add", of_type("Patient")).that_changes(changes);
        let decision = rule().decide(&Context::new(user(scopes), "r"), &access).unwrap();
        matches!(decision, Decision::Permit { .. })
    };
    assert!(call("user/Patient.s", false) && call("user/Patient.r", false));
    assert!(!call("user/Patient.rs", true) && call("user/Patient.u", true));
    assert!(!call("user/Observation.cruds", true));
}

#[test]
fn a_refusal_names_a_scope_that_would_do() {
    let needed = |principal: Principal| {
        let access = Access::new(Interaction::SearchType, of_type("Condition"));
        match rule().decide(&Context::new(principal, "r"), &access).unwrap() {
            Decision::InsufficientScope { needed } => needed,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(needed(user("")), "user/Condition.s");
    assert_eq!(needed(user("").with_patient("p")), "patient/Condition.s");
    let client = Principal::new("c", PrincipalKind::Client).with_scopes(Scopes::default());
    assert_eq!(needed(client), "system/Condition.s");
}
