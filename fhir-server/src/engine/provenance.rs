//! `X-Provenance`: a Provenance that comes with a write and is stored with it (<https://hl7.org/fhir/R4/provenance.html#header>).
//!
//! The client leaves `target` out: the server names the versions that the write makes. Where it leaves `recorded` out, that is now.
//! In all else it is a create of a Provenance: the policy is asked for one, and it is validated as one.
//!
//! Invariant: a write and the Provenance that came with it stand or fall together.
//! Invariant: the versions that it names are those that the commit makes, which the commit expects.

use fhir_model::Provenance;

use super::conditions::Reason;
use super::{Draft, Received, Session};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Request};
use crate::store::{Change, Expect, Filter, Key, ResourceType, Write};

/// What came in the header, and where it will be.
#[derive(Clone)]
pub(super) struct Carried {
    text: String,
    is_recorded: bool,
    key: Key,
}

/// A version that a write makes, and what the commit expects for that.
type Target = (String, Option<Expect>);

impl Session {
    /// Takes over the Provenance of a request, for its commit.
    ///
    /// # Errors
    /// It cannot be read, names targets, or the request is none that writes.
    pub(crate) fn carry_provenance(&mut self, request: &Request) -> Result<()> {
        self.provenance = None;
        let Some(text) = &request.provenance else {
            return Ok(());
        };
        use Interaction as I;
        let writes = matches!(
            request.interaction,
            I::Create | I::Update | I::Patch | I::Delete | I::Batch | I::Transaction
        );
        if !writes {
            return Err(not_here());
        }
        let text = text.trim_ascii();
        let received = Received::from_json(text.to_owned().into(), self.settings()).map_err(in_header)?;
        let found = received.resource.type_name();
        let Some(provenance) = received.resource.get::<Provenance>() else {
            let text = format!("It must be a Provenance in JSON; this is a {found}.");
            return Err(in_header(Error::new(ErrorCode::Invalid, text).at(found)));
        };
        if !provenance.target.is_empty() {
            let text = "Leave `target` out: the server names what the write makes.";
            return Err(in_header(
                Error::new(ErrorCode::Invalid, text).at("Provenance.target"),
            ));
        }
        let Some(resource_type) = ResourceType::from_name("Provenance") else {
            return Err(Error::internal("no type Provenance"));
        };
        self.provenance = Some(Carried {
            text: text.to_owned(),
            is_recorded: provenance.recorded.value.is_some(),
            key: Key {
                resource_type,
                id: self.new_id(),
            },
        });
        Ok(())
    }

    /// A batch is many writes, each with a commit of its own.
    pub(crate) fn refuse_provenance(&self) -> Result<()> {
        match self.provenance {
            None => Ok(()),
            Some(_) => Err(not_here()),
        }
    }

    /// Whether that is the Provenance that came with the write.
    pub(super) fn is_carried(&self, key: &Key) -> bool {
        self.provenance
            .as_ref()
            .is_some_and(|carried| carried.key == *key)
    }

    /// Stages it beside what is staged, unless nothing is written.
    pub(super) async fn stage_provenance(&mut self) -> Result<()> {
        let Some(carried) = self.provenance.clone() else {
            return Ok(());
        };
        let targets = self.targets().await?;
        if targets.is_empty() {
            return Ok(());
        }
        let text = carried.text(&targets, &self.now().to_instant())?;
        let received = Received::from_json(text.into(), self.settings()).map_err(in_header)?;
        let draft = Draft {
            part: received.whole()?,
            edits: &[],
            explains: false,
        };
        let staged = self.stage_create(carried.key, &draft, None).await;
        let ticket = staged.map_err(in_header)?;
        let expects = targets.into_iter().filter_map(|(_, expect)| expect);
        if let Some(staged) = self.staged.get_mut(ticket.place()) {
            staged
                .expects
                .extend(expects.map(|expect| (expect, Reason::Changed)));
        }
        Ok(())
    }

    /// The versions that what is staged will make.
    async fn targets(&self) -> Result<Vec<Target>> {
        let mut targets = Vec::new();
        for one in &self.staged {
            let (Some(key), Some(write)) = (&one.key, one.resource_write()) else {
                continue;
            };
            let body = match write {
                Write::Create { .. } => {
                    targets.push((format!("{key}/_history/1"), None));
                    continue;
                }
                Write::Update { body, .. } => Some(body),
                _ => None,
            };
            let current = self.snapshot().await?.read(key, &Filter::All).await?;
            let target = match current {
                Some(live) if live.change != Change::Delete => {
                    let same = body.is_some() && live.body.as_ref() == body;
                    let next = if same { live.version } else { live.version + 1 };
                    (next, Expect::Version(key.clone(), live.version))
                }
                _ if body.is_none() => continue,
                gone => (
                    gone.map_or(1, |gone| gone.version + 1),
                    Expect::Absent(key.clone()),
                ),
            };
            targets.push((format!("{key}/_history/{}", target.0), Some(target.1)));
        }
        Ok(targets)
    }
}

impl Carried {
    /// What is stored: the text as it came, and what the server adds before its end.
    fn text(&self, targets: &[Target], now: &str) -> Result<String> {
        let references: Vec<_> = targets
            .iter()
            .map(|(reference, _)| serde_json::json!({ "reference": reference }))
            .collect();
        let targets = serde_json::to_string(&references).map_err(Error::internal)?;
        let open = self.text.strip_suffix('}').map(str::trim_ascii_end);
        // It has at least its `resourceType`.
        let mut text = open
            .ok_or_else(|| Error::internal("a resource that is no object"))?
            .to_owned();
        text.push_str(&format!(r#","target":{targets}"#));
        if !self.is_recorded {
            text.push_str(&format!(r#","recorded":"{now}""#));
        }
        text.push('}');
        Ok(text)
    }
}

fn not_here() -> Error {
    let text = "The header `X-Provenance` goes with a create, an update, a patch, a delete or a transaction: in a batch, add a \
                Provenance as an entry.";
    Error::new(ErrorCode::Invalid, text).at("http.x-provenance")
}

/// The same error, said of the header; what is wrong with its content is 400.
fn in_header(mut error: Error) -> Error {
    if error.code.facts().status == 422 {
        error.code = ErrorCode::Invalid;
    }
    for issue in &mut error.issues {
        issue.diagnostics = format!("In the header `X-Provenance`: {}", issue.diagnostics);
        issue.position = None;
    }
    error
}
