//! patch: a change to a resource, given as the difference (<https://hl7.org/fhir/R4/http.html#patch>).
//!
//! The patch is applied to the current version as a read gives it; what comes of it is read, validated and stored as that
//! of an update is.
//!
//! Invariant: what is stored was made of the version that it replaces; where another write came between, the patch is
//! applied anew, and only where the client did not name a version.
//! Invariant: a patch changes neither the type nor the id of a resource, nor its version.

use bytes::Bytes;
use fhir_model::{Binary, Meta};

use super::{EntityTags, Request, RequestBody, Response, conditional, present, update};
use crate::engine::{Draft, Edit, Part, Received, Session, Ticket, not_found};
use crate::error::{Error, ErrorCode, Result};
use crate::patch::{Patch, PatchForm, TAKEN};
use crate::policy::Access;
use crate::store::{Change, Key, Version};

/// How often a patch is applied at most where other writes come between.
const ATTEMPTS: usize = 20;

/// 200 with the new version, or with the current one where nothing changed.
pub(super) async fn run(session: &mut Session, request: &Request) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    let patch = of_body(session, request.body.as_ref())?;
    of_patch(session, request, &patch).await
}

/// The same for a patch that was read already.
pub(super) async fn of_patch(session: &mut Session, request: &Request, patch: &Patch) -> Result<Response> {
    if request.id.is_none() {
        return conditional::patch(session, request, patch).await;
    }
    let key = request.key()?;
    let bound = matches!(request.if_match, Some(EntityTags::Versions(_)));
    let mut attempt = 1;
    loop {
        let ticket = stage(session, request, key.clone(), patch, None).await?;
        let again = session.may_stage_again() && !bound;
        match session.commit().await {
            Ok(mut committed) => return present::written(request, &committed.take(ticket)?),
            Err(error) if again && update::lost_race(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Applies a patch to the current version and stages what comes of it.
pub(super) async fn stage(
    session: &mut Session,
    request: &Request,
    key: Key,
    patch: &Patch,
    entry: Option<usize>,
) -> Result<Ticket> {
    let by = session.access(request)?;
    let current = current(session, &key, &by).await?;
    update::conditions(request).check(&key, &current)?;
    let Some(body) = &current.body else {
        return Err(Error::internal("a live version without a body"));
    };
    let before = body.render(current.version, current.last_updated);
    let after = patch.apply(&before, session.settings())?;
    let received = Received::from_json(after.into(), session.settings())?;
    let part = received.whole()?;
    check_identity(&part, &key, &current)?;
    let draft = Draft {
        part,
        edits: &[],
        explains: present::explains(request),
    };
    session
        .stage_change(key, &draft, current.version, entry, &by)
        .await
}

async fn current(session: &Session, key: &Key, by: &Access<'_>) -> Result<Version> {
    match session.read_to_change(key, by).await? {
        Some(version) if version.change == Change::Delete => Err(Error::new(
            ErrorCode::Gone,
            format!("{key} is deleted, so that there is nothing to patch: write it anew with PUT."),
        )),
        Some(version) => Ok(version),
        None => Err(not_found(key)),
    }
}

/// Refuses what a patch may not change. Its version and time are set by the server whatever they are; a patch that
/// leaves them out with the rest of `meta` is no contradiction.
fn check_identity(part: &Part<'_>, key: &Key, current: &Version) -> Result<()> {
    let refuse = |place: &str, text: String| {
        let error = Error::new(ErrorCode::Unprocessable, format!("{text} Nothing was changed."));
        Err(error.at(format!("{}.{place}", key.resource_type.name())))
    };
    let found = part.resource.type_name();
    let wanted = key.resource_type.name();
    if found != wanted {
        return refuse(
            "resourceType",
            format!("A patch cannot make a {found} of a {wanted}: leave resourceType as it is."),
        );
    }
    match update::id_of(part) {
        Some(id) if id == key.id => {}
        Some(id) => {
            return refuse(
                "id",
                format!("A patch cannot change the id to {id:?}: leave it as it is."),
            );
        }
        None => {
            return refuse(
                "id",
                "A patch cannot take the id out: leave it as it is.".to_owned(),
            );
        }
    }
    let version = meta_of(part).and_then(|meta| meta.version_id.as_str());
    match version {
        Some(version) if version != current.version.to_string() => refuse(
            "meta.versionId",
            format!("A patch cannot set the version {version:?}: the server counts versions."),
        ),
        _ => Ok(()),
    }
}

fn meta_of<'p>(part: &Part<'p>) -> Option<&'p Meta> {
    use fhir_model::reflect::Slot;
    let resource = part.resource.as_complex();
    let (index, _) = resource.type_info().field("meta")?;
    match resource.slot(index) {
        Slot::Complex(meta) => meta.as_any().downcast_ref(),
        _ => None,
    }
}

/// The patch that is the body of a request.
fn of_body(session: &Session, body: Option<&RequestBody>) -> Result<Patch> {
    match body {
        None => Err(Error::new(
            ErrorCode::Required,
            format!("The request needs a body: {TAKEN}."),
        )),
        Some(RequestBody::Patch(form, text)) => Ok(Patch::Of(*form, text.clone())),
        Some(RequestBody::Native { content_type, .. }) => Err(not_taken(content_type)),
        Some(fhir @ RequestBody::Fhir(..)) => {
            let received = Received::read(Some(fhir), session.settings())?;
            let found = received.resource.type_name();
            if found != "Parameters" {
                return Err(no_patch(found).at(found));
            }
            Ok(Patch::FhirPath(Bytes::copy_from_slice(received.text())))
        }
    }
}

/// The patch that is the resource of an entry: a Parameters resource, or a Binary that carries one of the other forms.
/// `edits` are those of its text.
pub(super) fn of_part(part: &Part<'_>, edits: &[Edit]) -> Result<Patch> {
    let place = part.path.clone().into_owned();
    match part.resource.get::<Binary>() {
        Some(binary) => of_binary(binary, &place),
        None if part.resource.type_name() == "Parameters" => Ok(Patch::FhirPath(part.edited(edits)?.into())),
        None => Err(no_patch(part.resource.type_name()).at(place)),
    }
}

fn of_binary(binary: &Binary, place: &str) -> Result<Patch> {
    let content = super::binary::content(binary).map_err(|_| {
        let text = "The data of the Binary is not base64: encode the patch in it.";
        Error::new(ErrorCode::Value, text).at(format!("{place}.data"))
    })?;
    let essence = content.content_type.split(';').next().unwrap_or_default();
    match PatchForm::of_media_type(&essence.trim().to_ascii_lowercase()) {
        Some(form) => Ok(Patch::Of(form, content.bytes.into())),
        None => Err(not_taken(&content.content_type).at(format!("{place}.contentType"))),
    }
}

fn not_taken(content_type: &str) -> Error {
    let shown: String = content_type.chars().take(100).collect();
    Error::new(
        ErrorCode::UnsupportedMediaType,
        format!("{shown:?} is no media type of a patch: send {TAKEN}."),
    )
}

fn no_patch(found: &str) -> Error {
    let text = format!("A PATCH takes {TAKEN}; this is a {found}. To replace the whole resource, use PUT.");
    Error::new(ErrorCode::Invalid, text)
}
