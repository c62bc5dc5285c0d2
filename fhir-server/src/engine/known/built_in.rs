//! What is built in, as resources: read by an id that begins with [`PREFIX`], found by its URL where the tenant has none of it
//! (<https://hl7.org/fhir/R4/resource.html#canonical>). It is marked by a tag, has facts alone and no prose, and cannot be written.
//!
//! Invariant: what the tenant has stored comes first; what is built in is in no search but one by URL.

use std::collections::HashMap;

use fhir_model::json::{self, Tree};
use fhir_model::read::Limits;
use fhir_validate::interface;
use sha2::{Digest, Sha256};

use super::{Known, TYPES};
use crate::context::Millis;
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::store::{Change, Key, ResourceType, StampForm, StoredBody, Version};

/// What the ids of what is built in begin with.
const PREFIX: &str = "built-in-";
/// What says that a resource is built in.
const TAG: &str = r#""tag":[{"system":"urn:ietf:rfc:3986","code":"urn:fhir-server:built-in","display":"built into the server"}]"#;
/// The types of what R4 defines of its interface.
const INTERFACE: [&str; 2] = ["OperationDefinition", "SearchParameter"];
/// 2019-11-01, the day of R4 4.0.1.
const DAY: Millis = Millis(1_572_566_400_000);

/// Type, URL and version.
pub(super) type Canonical = (&'static str, String, Option<String>);

/// Refuses a write to what is built in.
pub(crate) fn check_writable(key: &Key) -> Result<()> {
    if !is_built_in(key) {
        return Ok(());
    }
    let text =
        format!("{key} is built in and cannot be changed: store your own definition under another id.");
    Err(Error::new(ErrorCode::MethodNotAllowed, text))
}

fn is_built_in(key: &Key) -> bool {
    has_built_in(key.resource_type) && key.id.starts_with(PREFIX)
}

/// Whether some of that type is built in.
fn has_built_in(of: ResourceType) -> bool {
    TYPES.contains(&of.name()) || INTERFACE.contains(&of.name())
}

/// The id of what is built in.
fn id(of: &str, url: &str, version: Option<&str>) -> String {
    let digest = Sha256::digest(format!("{of} {url}|{}", version.unwrap_or_default()));
    let hex: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("{PREFIX}{hex}")
}

impl Known {
    /// What is built in under that id.
    fn canonical_of_id(&self, key: &Key) -> Option<&Canonical> {
        let all = self.ids.get_or_init(|| {
            let library = self.library.canonicals();
            let structures = self.validator().structures();
            let structures = structures
                .into_iter()
                .map(|(url, version)| ("StructureDefinition", url, version));
            let interface = interface::all().map(|one| {
                let version = one.version.map(str::to_owned);
                (one.resource_type, one.url.to_owned(), version)
            });
            let named = |of: Canonical| (id(of.0, &of.1, of.2.as_deref()), of);
            library
                .into_iter()
                .chain(structures)
                .chain(interface)
                .map(named)
                .collect::<HashMap<_, _>>()
        });
        all.get(&key.id)
            .filter(|(of, ..)| *of == key.resource_type.name())
    }

    /// What is built in of that type, URL and version, as a version of a resource.
    fn resource(&self, of: ResourceType, url: &str, version: Option<&str>) -> Result<Option<Version>> {
        let canonical = version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"));
        let text = match of.name() {
            "StructureDefinition" => self
                .validator()
                .structure_text(&canonical)
                .map(String::into_bytes),
            name if INTERFACE.contains(&name) => interface::defined(url)
                .filter(|one| one.resource_type == name)
                .filter(|one| version.is_none_or(|version| one.version == Some(version)))
                .map(|one| one.text.as_bytes().to_vec()),
            name => {
                let found = self.library.resource_of(name, &canonical);
                found.map(|resource| json::to_vec(&resource))
            }
        };
        text.map(|text| as_stored(of, &text)).transpose()
    }
}

/// The facts as a version of a resource, with an id and a tag.
fn as_stored(of: ResourceType, text: &[u8]) -> Result<Version> {
    let limits = Limits {
        depth: 256,
        ..Limits::default()
    };
    let mut tree = Tree::read(text, &limits).map_err(|error| Error::internal(error.to_string()))?;
    let own = |name: &str| tree.get(name).and_then(|t| t.as_str().map(|t| t.into_owned()));
    let id = id(
        of.name(),
        &own("url").unwrap_or_default(),
        own("version").as_deref(),
    );
    for name in ["resourceType", "id", "meta"] {
        tree.remove(name);
    }
    let mut json = format!(r#"{{"resourceType":"{}","id":"{id}","meta":{{"#, of.name()).into_bytes();
    let stamp_at = u32::try_from(json.len()).map_err(Error::internal)?;
    json.extend_from_slice(TAG.as_bytes());
    json.extend_from_slice(b"},");
    json.extend_from_slice(tree.to_vec().get(1..).unwrap_or_default());
    let key = Key {
        resource_type: of,
        id,
    };
    let body = StoredBody {
        json,
        stamp_at,
        stamp_form: StampForm::Inside,
    };
    Ok(Version::new(key, 1, Change::Create, 0, DAY, Some(body)))
}

impl Session {
    /// What is built in under that id; `None` where the id is none of it.
    pub(crate) fn built_in(&self, key: &Key) -> Result<Option<Version>> {
        if !is_built_in(key) {
            return Ok(None);
        }
        let below = self.engine.below();
        match below.canonical_of_id(key) {
            Some((_, url, version)) => below.resource(key.resource_type, url, version.as_deref()),
            None => Ok(None),
        }
    }

    /// What is built in under that URL.
    pub(crate) fn built_in_of_url(
        &self,
        of: ResourceType,
        url: &str,
        version: Option<&str>,
    ) -> Result<Option<Version>> {
        match has_built_in(of) {
            true => self.engine.below().resource(of, url, version),
            false => Ok(None),
        }
    }
}
