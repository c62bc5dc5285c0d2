//! Medicines have codes under two systems: the dictionary of medicines and devices has a URL of its own, and its codes
//! are SNOMED CT identifiers, which are in use under SNOMED CT's URL too. Both are taken, whichever a value set names.
//!
//! Invariant: a code of SNOMED CT that is none of the dictionary's is not one under the dictionary's URL.

use super::{CodeQuery, Known, Membership};

/// The dictionary of medicines and devices.
const DMD: &str = "https://dmd.nhs.uk";
/// SNOMED CT.
const SNOMED: &str = "http://snomed.info/sct";
/// The namespace of the United Kingdom's drug extension in identifiers of SNOMED CT.
const DRUG_EXTENSION: &str = "1000001";

/// The same code under the other system, where its own is one of the two.
fn twin<'a>(code: &CodeQuery<'a>) -> Option<CodeQuery<'a>> {
    let system = match code.system? {
        DMD => SNOMED,
        SNOMED => DMD,
        _ => return None,
    };
    Some(CodeQuery {
        system: Some(system),
        version: None,
        ..*code
    })
}

/// Whether the code is in a value set under either of its systems.
pub(super) fn member(code: &CodeQuery<'_>, ask: impl Fn(&CodeQuery<'_>) -> Membership) -> Membership {
    let own = ask(code);
    if matches!(own, Membership::Member { .. }) {
        return own;
    }
    match (twin(code).map(|twin| ask(&twin)), own) {
        (Some(found @ Membership::Member { .. }), _) => found,
        (Some(open @ Membership::Unchecked { .. }), Membership::NotMember { .. }) => open,
        (_, own) => own,
    }
}

/// Whether the code is in its code system, or is the dictionary's where it stands under SNOMED CT.
pub(super) fn known(code: &CodeQuery<'_>, ask: impl Fn(&CodeQuery<'_>) -> Known) -> Known {
    let own = ask(code);
    if code.system != Some(SNOMED) || !matches!(own, Known::No { .. }) {
        return own;
    }
    match twin(code).map(|twin| ask(&twin)) {
        Some(found @ Known::Yes { .. }) => found,
        Some(open @ Known::Unchecked { .. }) if is_of_drug_extension(code.code) => open,
        _ => own,
    }
}

/// Whether the identifier was given by the drug extension: the namespace stands before the partition and the check digit.
fn is_of_drug_extension(code: &str) -> bool {
    let namespace = code
        .len()
        .checked_sub(10)
        .and_then(|start| code.get(start..start + 7));
    namespace == Some(DRUG_EXTENSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(system: &'static str) -> CodeQuery<'static> {
        CodeQuery {
            system: Some(system),
            code: "39720311000001101",
            ..CodeQuery::default()
        }
    }

    fn found(system: &str) -> Membership {
        Membership::Member {
            system: system.to_owned(),
            display: None,
            display_is_right: true,
            inactive: false,
        }
    }

    fn not_found() -> Membership {
        Membership::NotMember {
            reason: super::super::NotMember::WrongSystem,
            near: None,
        }
    }

    #[test]
    fn a_code_of_a_medicine_is_a_member_under_either_system() {
        for (own, other) in [(DMD, SNOMED), (SNOMED, DMD)] {
            let ask = |code: &CodeQuery<'_>| {
                if code.system == Some(other) {
                    found(other)
                } else {
                    not_found()
                }
            };
            assert_eq!(member(&under(own), ask), found(other));
        }
        let nowhere = |_: &CodeQuery<'_>| not_found();
        assert_eq!(member(&under("http://loinc.org"), nowhere), not_found());
        assert_eq!(member(&under(DMD), nowhere), not_found());
    }

    #[test]
    fn a_code_under_snomed_ct_may_be_one_of_the_dictionary() {
        let no = || Known::No { near: None };
        let open = || Known::Unchecked {
            reason: "not held".into(),
        };
        let ask = |code: &CodeQuery<'_>| if code.system == Some(DMD) { open() } else { no() };
        assert_eq!(known(&under(SNOMED), ask), open());
        let core = CodeQuery {
            code: "73211009",
            ..under(SNOMED)
        };
        assert_eq!(known(&core, ask), no());
        let held = |code: &CodeQuery<'_>| if code.system == Some(SNOMED) { open() } else { no() };
        assert_eq!(known(&under(DMD), held), no());
    }
}
