//! The trimmed R4 definitions as committed in `definitions/r4/`, for those who read more than the static tables hold.
//!
//! Each is NDJSON, one definition a line, sorted by url, compressed with zstd. Unpacking is the caller's: this crate
//! needs no decompressor. What is not used is not linked in.

/// StructureDefinitions of the primitive types, datatypes, resources and logical models.
pub static TYPES: &[u8] = include_bytes!("../../definitions/r4/types.ndjson.zst");
/// CodeSystems.
pub static CODE_SYSTEMS: &[u8] = include_bytes!("../../definitions/r4/code_systems.ndjson.zst");
/// ValueSets.
pub static VALUE_SETS: &[u8] = include_bytes!("../../definitions/r4/value_sets.ndjson.zst");
/// StructureDefinitions that constrain a type, extensions aside.
pub static PROFILES: &[u8] = include_bytes!("../../definitions/r4/profiles.ndjson.zst");
/// StructureDefinitions of extensions.
pub static EXTENSIONS: &[u8] = include_bytes!("../../definitions/r4/extensions.ndjson.zst");
/// ConceptMaps.
pub static CONCEPT_MAPS: &[u8] = include_bytes!("../../definitions/r4/concept_maps.ndjson.zst");
/// SearchParameters.
pub static SEARCH_PARAMETERS: &[u8] = include_bytes!("../../definitions/r4/search_parameters.ndjson.zst");
/// OperationDefinitions.
pub static OPERATIONS: &[u8] = include_bytes!("../../definitions/r4/operations.ndjson.zst");
