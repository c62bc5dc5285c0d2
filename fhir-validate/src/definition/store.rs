//! [`Store`]: every structure definition that a validator knows, by url and version.
//!
//! Invariant: what is held never changes after the validator is built, but for what is worked out on first use.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::{Definition, Facts, base};
use crate::program::Program;
use crate::snapshot;

/// The definitions, by url; several versions of one url, the newest first. What is not here is looked for in the parent,
/// whose snapshots and programs are shared by all that build on it.
#[derive(Default)]
pub(crate) struct Store {
    parent: Option<Arc<Store>>,
    by_url: HashMap<String, Vec<Held>>,
}

/// One definition, its snapshot and its program, each made on first use.
pub(crate) struct Held {
    source: Source,
    version: String,
    /// Of lower rank than definitions that say nothing: its rules only warn.
    pub(crate) is_draft: bool,
    definition: OnceLock<Option<Definition>>,
    snapshot: OnceLock<Result<Vec<Facts>, String>>,
    program: OnceLock<Result<Program, String>>,
}

enum Source {
    Line(&'static str),
    Text(Arc<str>),
    Value(Box<Value>),
}

impl Held {
    fn new(source: Source, version: &str) -> Held {
        Held {
            source,
            version: version.to_owned(),
            is_draft: false,
            definition: OnceLock::new(),
            snapshot: OnceLock::new(),
            program: OnceLock::new(),
        }
    }

    fn definition(&self) -> Option<&Definition> {
        let read = || match &self.source {
            Source::Line(line) => serde_json::from_str(line)
                .ok()
                .as_ref()
                .and_then(Definition::read),
            Source::Text(text) => serde_json::from_str(text)
                .ok()
                .as_ref()
                .and_then(Definition::read),
            Source::Value(value) => Definition::read(value),
        };
        self.definition.get_or_init(read).as_ref()
    }

    fn snapshot<'s>(
        &'s self,
        store: &'s Store,
        making: &mut Vec<*const Held>,
    ) -> Result<&'s [Facts], String> {
        if self.snapshot.get().is_none() {
            let made = self.make_snapshot(store, making);
            // Another thread may have been quicker; its result is the same.
            let _ = self.snapshot.set(made);
        }
        match self.snapshot.get() {
            Some(Ok(elements)) => Ok(elements),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err("the snapshot is not there".into()),
        }
    }

    fn make_snapshot(&self, store: &Store, making: &mut Vec<*const Held>) -> Result<Vec<Facts>, String> {
        let definition = self.definition().ok_or("the definition has no url or no type")?;
        if !definition.snapshot.is_empty() {
            return Ok(definition.snapshot.clone());
        }
        let this: *const Held = self;
        if making.contains(&this) {
            return Err(format!("{} is built on itself", definition.url));
        }
        making.push(this);
        let made = snapshot::generate(definition, store, making);
        making.pop();
        made
    }

    fn program<'s>(&'s self, store: &'s Store) -> Result<&'s Program, &'s str> {
        if self.program.get().is_none() {
            let made = self.snapshot(store, &mut Vec::new()).and_then(|elements| {
                let definition = self.definition().ok_or("the definition has no url or no type")?;
                Ok(Program::compile(definition, elements, store, self.is_draft))
            });
            let _ = self.program.set(made);
        }
        match self.program.get() {
            Some(Ok(program)) => Ok(program),
            Some(Err(reason)) => Err(reason),
            None => Err("the program is not there"),
        }
    }
}

impl Store {
    /// The definitions of R4.
    pub(crate) fn r4() -> Store {
        let mut store = Store::default();
        for line in base::lines() {
            store.add_line(line, false);
        }
        store
    }

    /// No definitions yet, but those of another store.
    pub(crate) fn upon(parent: Arc<Store>) -> Store {
        Store {
            parent: Some(parent),
            ..Store::default()
        }
    }

    /// Adds a definition as it stands on its line of a built-in file.
    pub(crate) fn add_line(&mut self, line: &'static str, is_draft: bool) {
        if let Some(url) = base::url_of(line) {
            let mut held = Held::new(Source::Line(line), base::version_of(line).unwrap_or_default());
            held.is_draft = is_draft;
            self.insert(url, held);
        }
    }

    /// URL and version of each definition, those of the parents too.
    pub(crate) fn canonicals(&self) -> Vec<(String, Option<String>)> {
        let mut found = self
            .parent
            .as_ref()
            .map(|parent| parent.canonicals())
            .unwrap_or_default();
        for (url, versions) in &self.by_url {
            let version = |held: &Held| Some(held.version.clone()).filter(|version| !version.is_empty());
            found.extend(versions.iter().map(|held| (url.clone(), version(held))));
        }
        found
    }

    /// Adds a definition, replacing one of the same url and version.
    pub(crate) fn add(&mut self, value: Value) {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let Some(url) = text("url") else { return };
        let version = text("version").unwrap_or_default();
        self.insert(&url, Held::new(Source::Value(Box::new(value)), &version));
    }

    /// Adds a definition of that url and version as its text in JSON, which is read when it is first asked for.
    pub(crate) fn add_text(&mut self, url: &str, version: Option<&str>, text: Arc<str>) {
        self.insert(url, Held::new(Source::Text(text), version.unwrap_or_default()));
    }

    fn insert(&mut self, url: &str, held: Held) {
        if let Some(versions) = self.by_url.get_mut(url) {
            versions.retain(|known| known.version != held.version);
            let at = versions.partition_point(|known| newer(&known.version, &held.version));
            versions.insert(at, held);
        } else {
            self.by_url.insert(url.to_owned(), vec![held]);
        }
    }

    /// The definition of a canonical: of its version after `|`, the newest that begins so (`4.0` for `4.0.1`), or without
    /// one the newest.
    pub(crate) fn get(&self, canonical: &str) -> Option<Handle<'_>> {
        let (url, version) = match canonical.split_once('|') {
            Some((url, version)) => (url, Some(version)),
            None => (canonical, None),
        };
        let own = self
            .by_url
            .get(url)
            .and_then(|versions| of_version(versions, version));
        match own {
            Some(held) => Some(Handle { held, store: self }),
            None => self.parent.as_deref()?.get(canonical),
        }
    }

    /// The definition of a type, such as `Patient` or `HumanName`: that of R4, whatever else is held.
    pub(crate) fn of_type(&self, type_name: &str) -> Option<Handle<'_>> {
        match &self.parent {
            Some(parent) => parent.of_type(type_name),
            None => {
                let held = self.by_url.get(&base::type_url(type_name))?.last()?;
                Some(Handle { held, store: self })
            }
        }
    }

    /// The type of a definition of R4 that is no structure definition.
    pub(crate) fn kind_of_r4(&self, canonical: &str) -> Option<&'static str> {
        base::kind_of(canonical.split('|').next().unwrap_or(canonical))
    }

    /// The definition that is meant by a canonical, whichever version is there.
    pub(crate) fn get_any_version(&self, canonical: &str) -> Option<Handle<'_>> {
        self.get(canonical)
            .or_else(|| self.get(canonical.split('|').next().unwrap_or(canonical)))
    }
}

fn of_version<'v>(versions: &'v [Held], version: Option<&str>) -> Option<&'v Held> {
    let Some(version) = version else {
        return versions.first();
    };
    let exact = versions.iter().find(|held| held.version == version);
    exact.or_else(|| {
        versions.iter().find(|held| {
            held.version
                .strip_prefix(version)
                .is_some_and(|rest| rest.starts_with('.'))
        })
    })
}

/// A definition, and the store that it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Handle<'s> {
    held: &'s Held,
    store: &'s Store,
}

impl<'s> Handle<'s> {
    /// The definition; `None` where it is not one.
    pub(crate) fn definition(self) -> Option<&'s Definition> {
        self.held.definition()
    }

    /// The definition as JSON text.
    pub(crate) fn text(self) -> String {
        match &self.held.source {
            Source::Line(line) => (*line).to_owned(),
            Source::Text(text) => text.to_string(),
            Source::Value(value) => value.to_string(),
        }
    }

    /// The snapshot as published, or generated where there is none.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) fn snapshot(self, making: &mut Vec<*const Held>) -> Result<&'s [Facts], String> {
        self.held.snapshot(self.store, making)
    }

    /// The compiled program.
    ///
    /// # Errors
    /// Why there is none, in words.
    pub(crate) fn program(self) -> Result<&'s Program, &'s str> {
        self.held.program(self.store)
    }
}

/// Whether the first version is newer: numbers by value, a release before its pre-releases.
fn newer(a: &str, b: &str) -> bool {
    let parts = |version: &str| -> Vec<(u8, u64, String)> {
        let (core, label) = version.split_once('-').unwrap_or((version, ""));
        let mut parts: Vec<_> = core
            .split('.')
            .map(|p| p.parse().map_or((0, 0, p.to_owned()), |n| (1, n, String::new())))
            .collect();
        parts.push((u8::from(label.is_empty()), 0, label.to_owned()));
        parts
    };
    parts(a) > parts(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_definition_is_found_and_read() {
        let store = Store::r4();
        assert_eq!(base::lines().len(), 214 + 48 + 396);
        assert_eq!(store.by_url.len(), 658);
        for url in store.by_url.keys() {
            let definition = store.get(url).unwrap().definition().unwrap();
            assert_eq!(&definition.url, url);
        }
    }

    #[test]
    fn the_newest_version_is_meant_where_none_is_named() {
        let mut store = Store::default();
        for version in ["1.0.0", "1.10.0", "1.9.0", "2.0.0-ballot", "2.0.0"] {
            store.add(serde_json::json!({"url": "u", "type": "Patient", "version": version}));
        }
        let version = |canonical: &str| store.get(canonical).map(|h| h.held.version.as_str());
        assert_eq!(version("u"), Some("2.0.0"));
        assert_eq!(version("u|1.9.0"), Some("1.9.0"));
        assert_eq!(version("u|1"), Some("1.10.0"));
        assert_eq!(version("u|3"), None);
        assert_eq!(version("v"), None);
    }
}
