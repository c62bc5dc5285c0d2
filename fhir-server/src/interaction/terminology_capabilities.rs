//! TerminologyCapabilities: the code systems that are held, and how the terminology operations work
//! (<https://hl7.org/fhir/R4/terminologycapabilities.html>).
//!
//! Invariant: a code system is listed if and only if the operations answer from it.

use std::collections::BTreeSet;

use fhir_model::{
    TerminologyCapabilities, TerminologyCapabilitiesCodeSystem, TerminologyCapabilitiesCodeSystemVersion,
    TerminologyCapabilitiesExpansion, TerminologyCapabilitiesExpansionParameter,
    TerminologyCapabilitiesImplementation, TerminologyCapabilitiesSoftware,
    TerminologyCapabilitiesTranslation, TerminologyCapabilitiesValidateCode,
};

use super::Level;
use super::capabilities::DATE;
use crate::engine::Session;
use crate::error::{Error, Result};

/// The statement for the tenant.
pub(super) async fn statement(session: &Session, base: &str) -> Result<TerminologyCapabilities> {
    let settings = session.settings();
    let known = session.known().await?;
    let software = TerminologyCapabilitiesSoftware {
        name: settings.software_name.as_str().into(),
        version: settings.software_version.as_str().into(),
        ..Default::default()
    };
    let implementation = TerminologyCapabilitiesImplementation {
        description: format!("{}, FHIR R4", settings.software_name).into(),
        url: base.into(),
        ..Default::default()
    };
    Ok(TerminologyCapabilities {
        status: "active".into(),
        date: DATE
            .parse::<fhir_model::DateTime>()
            .map_err(Error::internal)?
            .into(),
        kind: "instance".into(),
        software: Some(Box::new(software)),
        implementation: Some(Box::new(implementation)),
        code_system: known
            .library()
            .code_systems()
            .into_iter()
            .map(code_system)
            .collect(),
        expansion: Some(Box::new(expansion(session))),
        code_search: "all".into(),
        validate_code: Some(Box::new(TerminologyCapabilitiesValidateCode {
            translations: false.into(),
            ..Default::default()
        })),
        translation: Some(Box::new(TerminologyCapabilitiesTranslation {
            needs_map: false.into(),
            ..Default::default()
        })),
        ..Default::default()
    })
}

fn code_system((url, versions): (String, BTreeSet<Option<String>>)) -> TerminologyCapabilitiesCodeSystem {
    let version = |code: String| TerminologyCapabilitiesCodeSystemVersion {
        code: code.into(),
        ..Default::default()
    };
    TerminologyCapabilitiesCodeSystem {
        uri: url.into(),
        version: versions.into_iter().flatten().map(version).collect(),
        subsumption: true.into(),
        ..Default::default()
    }
}

fn expansion(session: &Session) -> TerminologyCapabilitiesExpansion {
    let expand = session
        .operations()
        .find_on("expand", Level::Type, Some("ValueSet"));
    let inputs = expand
        .into_iter()
        .flat_map(|offered| &offered.definition.parameter);
    let inputs = inputs.filter(|p| p.use_.as_str() == Some("in"));
    let parameter = inputs.map(|p| TerminologyCapabilitiesExpansionParameter {
        name: p.name.clone(),
        documentation: p.documentation.clone(),
        ..Default::default()
    });
    TerminologyCapabilitiesExpansion {
        hierarchical: false.into(),
        paging: true.into(),
        incomplete: false.into(),
        parameter: parameter.collect(),
        ..Default::default()
    }
}
