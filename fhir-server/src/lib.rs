//! A FHIR R4 REST server.
