//! The statements seek and walk indexes in order; none of them reads a table or sorts more than a page.

use diesel::sql_types::Text;

use super::cluster::Cluster;
use super::{opened, patient, put};
use crate::context::{Millis, TenantId};
use crate::store::postgres::connect::Connector;
use crate::store::postgres::link::Link;
use crate::store::postgres::url::Target;
use crate::store::sql::{self, Choice, Dialect, Edge, Lists, Reach, RowKey, Statement, Way};
use crate::store::{
    Commit, Compare, Criterion, DatabaseUrl, Filter, HistoryQuery, HistoryScope, ParameterNumber,
    SearchQuery, Sort, SortKey, Store, SystemTest, Test, ValueKind,
};

const TENANT: TenantId = TenantId::DEFAULT;
const LISTS: Lists = Lists {
    tenant: TENANT,
    guard: "",
    dialect: Dialect::Postgres,
};

const OLDEST_FIRST: Sort = Sort {
    key: SortKey::LastUpdated,
    descending: false,
};

/// What the part of the filter that gives the fewest drives.
fn driven(query: &SearchQuery) -> Way<'_> {
    Way::Drive(Choice::of_all(&query.filter).best().unwrap())
}

/// A page that nothing but the order drives.
fn page(query: &SearchQuery) -> crate::error::Result<Statement<'_, sql::VersionSql>> {
    LISTS.by_change(query, &Way::Walk, sql::in_order_of_changes(query).unwrap())
}

async fn plan<ST>(link: &Link, statement: Statement<'_, ST>) -> String {
    let lines: Vec<String> = link.rows(statement.after::<Text>("EXPLAIN ")).await.unwrap();
    let plan = lines.join("\n");
    assert!(!plan.contains("Seq Scan"), "{plan}");
    plan
}

fn uses(plan: &str, index: &str) {
    assert!(plan.contains(&format!(" {index} ")), "{index}: {plan}");
}

/// A database with some thousand versions of which the planner knows.
async fn filled() -> Option<(std::sync::Arc<dyn Store>, Link, Cluster)> {
    // One of its own: a transaction of another test would keep VACUUM from saying what all may see.
    let own = Cluster::start();
    if own.is_none() {
        println!("SKIPPED (needs PostgreSQL)");
    }
    let own = own?;
    let url = own.fresh();
    let store = opened(&url);
    for text in ["0", "1"] {
        let writes = (0..1_500)
            .flat_map(|n| put(&format!("p{n}"), text).writes)
            .collect();
        store.commit(TENANT, Commit::new(vec![], writes)).await.unwrap();
    }
    let DatabaseUrl::Postgres(url) = url else {
        panic!("{url:?}")
    };
    let connector = Connector::new(url.parse::<Target>().unwrap()).unwrap();
    let link = connector.connect().await.unwrap();
    // Of other types too.
    let others = "INSERT INTO resource (tenant, surrogate, stamp, version, stamp_at, type, change, encoding, stamp_form, id) \
                  SELECT 1, n, n, 1, 0, n % 140 + 1, 0, 0, 0, int4send(n) FROM generate_series(1, 9000) n";
    link.batch(others).await.unwrap();
    let others = "INSERT INTO history (tenant, stamp, resource, version, until, stamp_at, type, change, encoding, stamp_form) \
                  SELECT 1, n, n, 0, n, 0, n % 140 + 1, 0, 0, 0 FROM generate_series(1, 9000) n";
    link.batch(others).await.unwrap();
    link.batch("SET plan_cache_mode = force_custom_plan")
        .await
        .unwrap();
    Some((store, link, own))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_that_reads_has_its_index() {
    let Some((store, link, _own)) = filled().await else {
        return;
    };
    by_key(&link).await;
    link.batch("ANALYZE resource; ANALYZE history").await.unwrap();
    by_key(&link).await;
    // A table of a test is so small that reading a part of it may be cheaper.
    link.batch("VACUUM ANALYZE resource").await.unwrap();
    link.batch("SET enable_seqscan = off").await.unwrap();
    lists(&link).await;
    rows(&link).await;
    store.close().await;
}

/// Also in the first minute of a database, before PostgreSQL has looked at what is in it.
async fn by_key(link: &Link) {
    let key = patient("p7");
    let of_type = Filter::Types(vec![key.resource_type]);
    for filter in [&Filter::All, &of_type] {
        uses(
            &plan(link, sql::read(LISTS, &key, filter).unwrap()).await,
            "resource_key",
        );
        let vread = plan(link, sql::vread(LISTS, &key, 3, filter).unwrap()).await;
        uses(&vread, "resource_key");
        uses(&vread, "history_of_resource");
    }
    let row_key = RowKey::from(&key);
    uses(&plan(link, sql::current(TENANT, &row_key)).await, "resource_key");
    uses(&plan(link, sql::marks(TENANT)).await, "resource_of_tenant");
}

async fn lists(link: &Link) {
    let key = patient("p7");
    for count in [1, 7, 60] {
        let ids = Filter::Ids((0..count).map(|n| format!("p{n}")).collect());
        let query = SearchQuery::new(Some(key.resource_type), ids, 50);
        uses(&plan(link, page(&query).unwrap()).await, "resource_key");
    }
    for (resource_type, index) in [
        (Some(key.resource_type), "resource_of_type"),
        (None, "resource_of_tenant"),
    ] {
        for ascending in [false, true] {
            let mut query = SearchQuery::new(resource_type, Filter::All, 50);
            query.sort = ascending.then_some(OLDEST_FIRST).into_iter().collect();
            let search = plan(link, page(&query).unwrap()).await;
            uses(&search, index);
            assert!(!search.contains("Sort"), "{search}");
            let total = plan(link, LISTS.search_total(&query, &Way::Walk, 100).unwrap()).await;
            assert!(total.contains(" resource_of_"), "{total}");
        }
    }
    for (scope, indexes) in [
        (
            HistoryScope::Instance(key.clone()),
            ["resource_key", "history_of_resource"],
        ),
        (
            HistoryScope::Type(key.resource_type),
            ["resource_of_type", "history_of_type"],
        ),
        (HistoryScope::System, ["resource_of_tenant", "history_pkey"]),
    ] {
        let mut query = HistoryQuery::new(scope, 50, Filter::All);
        for before in [None, Some(i64::MAX - 1)] {
            query.before = before;
            query.since = before.map(|_| Millis(1_764_000_000_000));
            let history = plan(link, LISTS.history(&query).unwrap()).await;
            for index in indexes {
                uses(&history, index);
            }
        }
    }
}

const ROWS: &str = "INSERT INTO term (tenant, number, hash, kind, head) SELECT 1, n * 8 + 1, 0, 1, int4send(n) FROM generate_series(1, 2000) n; \
    INSERT INTO label (tenant, resource, term, parameter, part) \
    SELECT 1, r.surrogate, (abs(hashint8(r.surrogate)) % 2000 + 1) * 8 + 1, 8, 0 FROM resource r; \
    INSERT INTO span (tenant, resource, unit, last, first, parameter, part) \
    SELECT 1, r.surrogate, 0, abs(hashint8(r.surrogate)), 0, 8, 0 FROM resource r; \
    INSERT INTO term (tenant, number, hash, kind, head) VALUES (1, 80001, 0, 1, '\\x7f'); \
    INSERT INTO label (tenant, resource, term, parameter, part) SELECT 1, r.surrogate, 80001, 16, 0 FROM resource r";

/// What drives a search is read from its index; everything else is asked of one resource at a time.
async fn rows(link: &Link) {
    link.batch(ROWS).await.unwrap();
    link.batch("VACUUM ANALYZE").await.unwrap();
    let parameter = ParameterNumber(8);
    let has = |test| Filter::Has(Criterion { parameter, test });
    let token = || {
        has(Test::Token {
            system: SystemTest::Any,
            code: Some(vec!["\0\0\0\u{7}".into()]),
        })
    };
    let patients = patient("p7").resource_type;
    let chain = Filter::RefersTo {
        parameters: vec![parameter],
        resource_type: patients,
        filter: Box::new(token()),
    };
    let common = Filter::Has(Criterion {
        parameter: ParameterNumber(16),
        test: Test::Token {
            system: SystemTest::Any,
            code: Some(vec!["\u{7f}".into()]),
        },
    });
    let query = SearchQuery::new(Some(patients), common, 50);
    let walk = plan(link, page(&query).unwrap()).await;
    uses(&walk, "label_of_resource");
    assert!(!walk.contains("label_of_term"), "{walk}");
    let date = || has(Test::Date(Compare::Ge, 2_000_000_000, 2_000_000_000));
    let before = has(Test::Date(Compare::Lt, -5_000_000_000, -5_000_000_000));
    for (filter, of_resource, of_value) in [
        (token(), "label_of_resource", "label_of_term"),
        (date(), "span_of_resource", "span_of_time"),
        (before.clone(), "span_of_resource", "span_of_time"),
        (before, "span_of_resource", "span_of_start"),
        (chain, "label_of_resource", "label_of_term"),
    ] {
        let query = SearchQuery::new(Some(patients), filter, 50);
        let walk = plan(link, page(&query).unwrap()).await;
        assert!(walk.contains("SubPlan"), "{walk}");
        uses(&walk, "resource_of_type");
        uses(&walk, of_resource);
        let way = driven(&query);
        let driven = LISTS.by_change(&query, &way, false).unwrap();
        let driven = plan(link, driven).await;
        uses(&driven, of_value);
        assert!(!driven.contains("resource_of_type"), "{driven}");
    }
    edges(link, token()).await;
}

/// The first page of an order is looked for in the index of its first key.
async fn edges(link: &Link, filter: Filter) {
    for (kind, index) in [
        (ValueKind::String, "term_of_text"),
        (ValueKind::Date, "span_of_time"),
    ] {
        for descending in [false, true] {
            let mut query = SearchQuery::new(Some(patient("p7").resource_type), filter.clone(), 10);
            let parameter = ParameterNumber(8);
            query.sort.push(Sort {
                key: SortKey::Parameter { parameter, kind },
                descending,
            });
            for reach in [Reach::Near, Reach::Far] {
                let edge = plan(link, LISTS.edge(&query, reach).unwrap().unwrap()).await;
                uses(&edge, index);
                assert!(!edge.contains("Sort Key"), "{edge}");
            }
            // Little is before it.
            let place = match (kind, descending) {
                (ValueKind::String, false) => (None, Some(vec![0, 0, 0, 9])),
                (ValueKind::String, true) => (None, Some(vec![0, 0, 7, 200])),
                (_, false) => (Some(-1), None),
                (_, true) => (Some(2_146_000_000), None),
            };
            let until = Way::Until(Edge::new(&query, place).unwrap());
            let found = plan(link, LISTS.by_keys(&query, &until).unwrap()).await;
            uses(&found, index);
            assert!(!found.contains("resource_of_type"), "{found}");
        }
    }
}
