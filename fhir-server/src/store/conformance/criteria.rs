//! Rows and the questions to them: each test with what it finds and what it nearly finds; and a comparison with the plain model on
//! random rows and questions.

use super::fixture::{Checked, Fixture, body, delete, equal, holds, key, some};
use super::random::Dice;
use crate::context::{Clock, Millis, TenantId};
use crate::store::scan::{self as model, Item, Model};
use crate::store::{
    ContainedQuery, Expect, Filter, HistoryQuery, HistoryScope, Key, Link, LinkQuery, Refusal, ResourceType,
    SearchQuery, Sort, SortKey, StoredBody, Version, Write, reindex,
};

/// Resources that are written at random, and what is known of them.
struct World<'f> {
    fixture: &'f Fixture,
    dice: Dice,
    items: Vec<Item>,
    bodies: usize,
}

impl World<'_> {
    /// A resource more, a change of one, or one less.
    async fn change(&mut self) -> Checked {
        let target = some(self.dice.key(), "type")?;
        if self.dice.one_in(6) {
            self.fixture.write(delete(&target)).await?;
            self.items.retain(|item| item.key != target);
            return Ok(());
        }
        let index = self.dice.index();
        self.bodies += 1;
        let write = Write::Update {
            key: target.clone(),
            body: body(self.bodies),
            index: index.clone(),
            create: true,
        };
        self.fixture.write(write).await?;
        let version = some(self.fixture.read(&target).await?, "version")?;
        self.items.retain(|item| item.key != target);
        self.items.push(Item {
            key: target,
            stamp: version.stamp,
            last_updated: version.last_updated,
            index,
        });
        Ok(())
    }

    fn model(&self) -> Model {
        Model(self.items.clone())
    }

    /// A search, page by page, its total, and whether a commit agrees on what matches.
    async fn search(&mut self, now: Millis) -> Checked {
        let filter = some(self.dice.filter(3, now), "filter")?;
        let resource_type = match self.dice.one_in(3) {
            true => None,
            false => self.dice.resource_type(),
        };
        let mut query = SearchQuery::new(resource_type, filter, self.dice.below(5) + 1);
        query.sort = self.dice.sort();
        let what = format!("{query:?}");
        let model = self.model();
        let wanted = model.search(resource_type, &query.filter, &query.sort);
        let wanted: Vec<String> = wanted.iter().map(|(item, _)| item.key.to_string()).collect();
        let snapshot = self.fixture.snapshot().await?;
        let total = snapshot.search_total(&query, 1_000).await?;
        equal(total, wanted.len() as u64, &format!("total of {what}"))?;
        let mut walked = Vec::new();
        loop {
            let page = snapshot.search(&query).await?;
            let Some(last) = page.last() else { break };
            let bytes = last.cursor.to_bytes();
            query.after = Some(crate::store::Cursor::from_bytes(&bytes)?);
            walked.extend(page.iter().map(|found| found.version.key.to_string()));
            if walked.len() > wanted.len() {
                break;
            }
        }
        equal(walked, wanted, &what)?;
        drop(snapshot);
        self.matches(&query.filter, &what).await
    }

    async fn matches(&mut self, filter: &Filter, what: &str) -> Checked {
        let resource_type = some(self.dice.resource_type(), "type")?;
        let model = self.model();
        let found = model.search(Some(resource_type), filter, &[]);
        let mut ids: Vec<String> = found.iter().map(|(item, _)| item.key.id.clone()).collect();
        let is_off = self.dice.one_in(4);
        if is_off && ids.pop().is_none() {
            ids.push("nobody".into());
        }
        let expect = Expect::Matches {
            resource_type,
            filter: filter.clone(),
            ids,
        };
        let outcome = self.fixture.commit(vec![expect], Vec::new()).await;
        let refused = matches!(
            outcome,
            Err(Refusal::Expectation {
                index: 0,
                current: None
            })
        );
        holds(
            refused == is_off && (is_off || outcome.is_ok()),
            format!("matches of {what}"),
        )
    }

    async fn links(&mut self, now: Millis) -> Checked {
        let from: Vec<Key> = (0..self.dice.below(4)).filter_map(|_| self.dice.key()).collect();
        let link = some(self.dice.link(now), "link")?;
        let query = LinkQuery::new(from, link, 100);
        let found = self.fixture.snapshot().await?.linked(&query).await?;
        let found: Vec<String> = found.iter().map(|version| version.key.to_string()).collect();
        let wanted = linked(&self.model(), &query);
        equal(found, wanted, &format!("{query:?}"))
    }
}

impl World<'_> {
    async fn inside(&mut self, now: Millis) -> Checked {
        let keys: Vec<Key> = (0..self.dice.below(4)).filter_map(|_| self.dice.key()).collect();
        let resource_type = some(self.dice.resource_type(), "type")?;
        let filter = some(self.dice.filter(2, now), "filter")?;
        let mut query = ContainedQuery::new(keys, resource_type, filter, 100);
        query.visible = some(self.dice.filter(1, now), "filter")?;
        let found = self.fixture.snapshot().await?.contained(&query).await?;
        let mut found: Vec<(String, String)> = found
            .into_iter()
            .filter_map(|(place, id)| Some((query.containers.get(place)?.to_string(), id)))
            .collect();
        let model = self.model();
        let containers = model.0.iter().filter(|item| query.containers.contains(&item.key));
        let containers = containers.filter(|item| model.admits(&query.visible, item));
        let mut wanted: Vec<(String, String)> = containers
            .flat_map(|item| {
                let ids = model.contained(resource_type, &query.filter, item).into_iter();
                ids.map(|id| (item.key.to_string(), id))
            })
            .collect();
        found.sort();
        wanted.sort();
        equal(found, wanted, &format!("{query:?}"))
    }
}

fn linked(model: &Model, query: &LinkQuery) -> Vec<String> {
    let sources = || model.0.iter().filter(|item| query.from.contains(&item.key));
    let is_linked = |item: &&Item| match &query.link {
        Link::Forward {
            parameters,
            urls,
            targets,
        } => {
            let refers = |source: &Item| {
                let all: Vec<_> = source.index.rows().iter().map(|row| row.parameter).collect();
                let by = if parameters.is_empty() { &all } else { parameters };
                match urls.is_empty() {
                    true => model::refers(source, by, &item.key),
                    false => model::shares(source, parameters, item, urls),
                }
            };
            let is_target =
                |(of, filter): &(_, Filter)| *of == item.key.resource_type && model.admits(filter, item);
            targets.iter().any(is_target) && sources().any(refers)
        }
        Link::Backward {
            parameters,
            urls,
            source,
            filter,
        } => {
            item.key.resource_type == *source
                && model.admits(filter, item)
                && match urls.is_empty() {
                    true => query.from.iter().any(|to| model::refers(item, parameters, to)),
                    false => sources().any(|to| model::shares(item, parameters, to, urls)),
                }
        }
    };
    let mut found: Vec<&Item> = model.0.iter().filter(is_linked).collect();
    found.sort_by_key(|item| std::cmp::Reverse(item.stamp));
    found.iter().map(|item| item.key.to_string()).collect()
}

pub(super) async fn random_questions_are_answered_as_by_looking_at_every_row(f: Fixture) -> Checked {
    let rounds = match std::env::var_os("FHIR_TEST_LONG") {
        Some(_) => 200,
        None => 4,
    };
    let mut world = World {
        fixture: &f,
        dice: Dice::new(20_261_126),
        items: Vec::new(),
        bodies: 0,
    };
    for _ in 0..rounds {
        for _ in 0..12 {
            world.change().await?;
        }
        let now = f.clock.now();
        for _ in 0..40 {
            world.search(now).await?;
        }
        for _ in 0..10 {
            world.links(now).await?;
            world.inside(now).await?;
        }
    }
    Ok(())
}

async fn read(f: &Fixture, key: &Key, filter: &Filter) -> Checked<Option<Version>> {
    Ok(f.snapshot().await?.read(key, filter).await?)
}

pub(super) async fn a_filter_on_rows_holds_for_reads_versions_and_histories(f: Fixture) -> Checked {
    let a = key("Patient", "a")?;
    let put = |n: usize, code: &str| Write::Update {
        key: a.clone(),
        body: body(n),
        index: super::cases::token(code),
        create: true,
    };
    let is = super::cases::is_token;
    f.write(put(1, "old")).await?;
    holds(
        read(&f, &a, &is("old")).await?.is_some(),
        "the first version's row lets it through",
    )?;
    f.write(put(2, "new")).await?;
    holds(
        read(&f, &a, &is("old")).await?.is_none(),
        "the row went with the version",
    )?;
    holds(
        read(&f, &a, &is("new")).await?.is_some(),
        "the next version's row came",
    )?;
    let snapshot = f.snapshot().await?;
    holds(
        snapshot.vread(&a, 1, &is("new")).await?.is_some(),
        "earlier versions are seen by the current row",
    )?;
    holds(
        snapshot.vread(&a, 1, &is("old")).await?.is_none(),
        "and not by their own",
    )?;
    drop(snapshot);
    f.write(put(2, "other")).await?;
    holds(
        read(&f, &a, &is("new")).await?.is_some(),
        "nothing is written where the content is equal",
    )?;
    f.write(delete(&a)).await?;
    holds(
        read(&f, &a, &is("new")).await?.is_some(),
        "a deleted resource is judged by the rows that it had",
    )?;
    holds(read(&f, &a, &is("other")).await?.is_none(), "and by no others")?;
    let snapshot = f.snapshot().await?;
    holds(
        snapshot.vread(&a, 1, &is("new")).await?.is_some(),
        "and so are its versions",
    )?;
    let mut history = HistoryQuery::new(HistoryScope::Type(a.resource_type), 10, is("new"));
    equal(snapshot.history(&history).await?.len(), 3, "and its history")?;
    history.filter = is("other");
    equal(snapshot.history_total(&history, 10).await?, 0, "and no other's")?;
    let found = SearchQuery::new(Some(a.resource_type), is("new"), 10);
    equal(snapshot.search(&found).await?.len(), 0, "but no search finds it")?;
    drop(snapshot);
    f.write(put(3, "back")).await?;
    holds(
        read(&f, &a, &is("back")).await?.is_some(),
        "it has rows of its own again when it comes back",
    )?;
    holds(
        read(&f, &a, &is("new")).await?.is_none(),
        "and the old ones no more",
    )?;
    f.write(delete(&a)).await?;
    holds(
        read(&f, &a, &is("new")).await?.is_none() && read(&f, &a, &is("back")).await?.is_some(),
        "a second time it is judged by the newest",
    )
}

pub(super) async fn a_refused_commit_leaves_no_rows(f: Fixture) -> Checked {
    let (a, b) = (key("Patient", "a")?, key("Patient", "b")?);
    let create = |key: &Key, n: usize, code: &str| Write::Create {
        key: key.clone(),
        body: body(n),
        index: super::cases::token(code),
    };
    f.write(create(&a, 1, "kept")).await?;
    // The second write fails, so that the first is undone with the term it made.
    let refused = f
        .commit(Vec::new(), vec![create(&b, 2, "fresh"), create(&a, 3, "fresh")])
        .await;
    holds(matches!(refused, Err(Refusal::Write { index: 1 })), "refused")?;
    let query = SearchQuery::new(None, super::cases::is_token("fresh"), 9);
    equal(f.search(&query).await?.len(), 0, "none has the row")?;
    f.write(create(&b, 4, "fresh")).await?;
    equal(
        f.search(&query).await?.join(","),
        "b 1".into(),
        "the term is made again",
    )
}

pub(super) async fn orders_that_cannot_be_are_refused(f: Fixture) -> Checked {
    let id = Sort {
        key: SortKey::Id,
        descending: false,
    };
    let mut query = SearchQuery::new(None, Filter::All, 5);
    query.sort = vec![id.clone(); 7];
    let refused = f.snapshot().await?.search(&query).await;
    holds(refused.is_err_and(|e| e.code.facts().status == 400), "seven keys")?;
    query.sort = vec![id];
    query.after = Some(crate::store::Cursor {
        values: Vec::new(),
        stamp: 1,
    });
    let refused = f.snapshot().await?.search(&query).await;
    holds(
        refused.is_err_and(|e| e.code.facts().status == 400),
        "a cursor of another order",
    )
}

pub(super) async fn rows_are_made_anew_from_where_that_stopped(f: Fixture) -> Checked {
    for n in 0..250 {
        f.commit(
            Vec::new(),
            vec![super::fixture::create(&key("Patient", &format!("p{n}"))?, n)],
        )
        .await?;
    }
    let query = SearchQuery::new(None, super::cases::is_token("red"), 1_000);
    equal(f.search(&query).await?.len(), 0, "none has rows")?;
    equal(
        f.store.unindexed().await?.len(),
        0,
        "and nobody is waiting for them",
    )?;
    f.commit(Vec::new(), vec![Write::IndexedTo(Some(0))]).await?;
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stops = |_: TenantId, _: &StoredBody, _: ResourceType| match asked
        .fetch_add(1, std::sync::atomic::Ordering::SeqCst)
    {
        220 => Err(crate::error::Error::internal("stopped")),
        _ => Ok(super::cases::token("red")),
    };
    holds(
        reindex(f.store.as_ref(), &stops, &|_| {}).await.is_err(),
        "it stops",
    )?;
    equal(f.search(&query).await?.len(), 200, "what was done stays done")?;
    equal(
        f.store.unindexed().await?.len(),
        1,
        "it is known to be unfinished",
    )?;
    // Written meanwhile, with rows of its own.
    let write = Write::Update {
        key: key("Patient", "p249")?,
        body: body(999),
        index: super::cases::token("blue"),
        create: false,
    };
    f.write(write).await?;
    let paint = |_: TenantId, body: &StoredBody, _: ResourceType| {
        let is_late = body.json.windows(3).any(|three| three == b"999");
        Ok(super::cases::token(if is_late { "blue" } else { "red" }))
    };
    equal(
        reindex(f.store.as_ref(), &paint, &|_| {}).await?,
        50,
        "only the rest",
    )?;
    equal(f.search(&query).await?.len(), 249, "all but the one that is blue")?;
    equal(f.store.unindexed().await?.len(), 0, "nothing is left to do")
}
