//! The statements do not scan or sort where an index gives the rows in order.
//!
//! Size: one test for each statement whose plan matters.

use diesel::Connection;
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, RunQueryDsl};
use diesel_migrations::MigrationHarness;

use crate::context::{Millis, TenantId};
use crate::store::sql::{self, Choice, Edge, Lists, Reach, Statement, Way};
use crate::store::sqlite::watch;
use crate::store::{
    Compare, Criterion, Cursor, Filter, HistoryQuery, HistoryScope, Key, Link, LinkQuery, ParameterNumber,
    Place, ResourceType, SearchQuery, Sort, SortKey, SystemTest, Test, ValueKind,
};

const TENANT: TenantId = TenantId(1);
const LISTS: Lists = Lists {
    tenant: TENANT,
    guard: watch::CONDITION,
    dialect: sql::Dialect::Sqlite,
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

fn plan<ST>(statement: Statement<'_, ST>) -> String {
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    conn.run_pending_migrations(super::start::MIGRATIONS).unwrap();
    watch::Watch::over(&mut conn).unwrap();
    let rows: QueryResult<Vec<(i64, i64, i64, String)>> = statement.explained().load(&mut conn);
    let lines: Vec<String> = rows.unwrap().into_iter().map(|row| row.3).collect();
    // How SQLite asks for the first row only.
    lines.join("\n").replace(" EXISTS USING", " USING")
}

fn patient() -> ResourceType {
    ResourceType::from_name("Patient").unwrap()
}

fn key() -> Key {
    Key {
        resource_type: patient(),
        id: "a".into(),
    }
}

/// Neither scans a table nor sorts.
fn direct(plan: &str) {
    assert!(!plan.contains("SCAN r") && !plan.contains("SCAN h"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[test]
fn a_read_seeks_the_key() {
    let own = Filter::Types(vec![patient()]);
    for filter in [&Filter::All, &own] {
        let read = plan(sql::read(LISTS, &key(), filter).unwrap());
        direct(&read);
        assert!(
            read.contains("resource_key (tenant=? AND type=? AND id=?)"),
            "{read}"
        );
        let vread = plan(sql::vread(LISTS, &key(), 3, filter).unwrap());
        direct(&vread);
        assert!(
            vread.contains("history_of_resource (tenant=? AND resource=? AND version=?)"),
            "{vread}"
        );
    }
}

#[test]
fn a_list_of_a_type_or_of_all_walks_its_index_in_order() {
    for ascending in [false, true] {
        for (resource_type, index) in [
            (Some(patient()), "resource_of_type"),
            (None, "resource_of_tenant"),
        ] {
            let mut query = SearchQuery::new(resource_type, Filter::All, 50);
            query.sort = ascending.then_some(OLDEST_FIRST).into_iter().collect();
            for (after, mark) in [(None, None), (Some(5), Some(9))] {
                query.mark = mark;
                query.after = after.map(|stamp| Cursor {
                    values: query.sort.iter().map(|_| Place::Number(stamp)).collect(),
                    stamp,
                });
                let search = plan(page(&query).unwrap());
                direct(&search);
                assert!(search.contains(index), "{search}");
                let total = plan(LISTS.search_total(&query, &Way::Walk, 100).unwrap());
                direct(&total);
                assert!(total.contains(&format!("COVERING INDEX {index}")), "{total}");
            }
        }
    }
}

#[test]
fn a_search_by_id_is_driven_by_the_ids() {
    let ids = |n| Filter::Ids((0..n).map(|i| format!("p{i}")).collect());
    let recent = Filter::LastUpdated {
        from: Some(Millis(1_764_000_000_000)),
        to: None,
    };
    let both = Filter::And(vec![recent, ids(3)]);
    for resource_type in [Some(patient()), None] {
        for filter in [
            both.clone(),
            ids(1),
            ids(7),
            ids(500),
            Filter::And(vec![Filter::Types(vec![patient()]), ids(3)]),
        ] {
            let query = SearchQuery::new(resource_type, filter, 50);
            let search = plan(page(&query).unwrap());
            assert!(
                search.contains("resource_key (tenant=? AND type=? AND id=?)"),
                "{search}"
            );
        }
    }
    let one = SearchQuery::new(None, Filter::Resource(key()), 50);
    let search = plan(page(&one).unwrap());
    assert!(
        search.contains("resource_key (tenant=? AND type=? AND id=?)"),
        "{search}"
    );
}

#[test]
fn a_history_merges_two_indexes_in_order() {
    for (scope, earlier) in [
        (HistoryScope::Instance(key()), "history_of_resource"),
        (HistoryScope::Type(patient()), "history_of_type"),
        (HistoryScope::System, "history_of_tenant"),
    ] {
        let mut query = HistoryQuery::new(scope, 50, Filter::All);
        for before in [None, Some(77)] {
            query.before = before;
            query.at = before.map(|_| (Millis(1_764_000_000_000), Millis(1_764_000_000_009)));
            let history = plan(LISTS.history(&query).unwrap());
            direct(&history);
            assert!(history.contains("MERGE (UNION ALL)"), "{history}");
            assert!(history.contains(earlier), "{history}");
        }
    }
}

#[test]
fn a_claim_and_the_mark_are_one_seek() {
    let claim = plan(sql::claim(TENANT, "load", &[0; 32], Millis(0)));
    assert!(
        claim.contains("PRIMARY KEY (tenant=? AND kind=? AND key=?)"),
        "{claim}"
    );
    let mark = plan(sql::marks(TENANT));
    assert!(
        mark.contains("COVERING INDEX resource_of_tenant (tenant=?)"),
        "{mark}"
    );
    direct(&plan(sql::sweep_claims(TENANT, Millis(0))));
    let owner = crate::store::Owner {
        key: [0; 32],
        bytes: 1_000,
    };
    let oldest = plan(sql::forget_older(TENANT, "load", &owner));
    direct(&oldest);
    assert!(
        oldest.contains("claim_owner (tenant=? AND kind=? AND owner=? AND used<?)"),
        "{oldest}"
    );
}

const PARAMETER: ParameterNumber = ParameterNumber(8);

fn has(test: Test) -> Filter {
    Filter::Has(Criterion {
        parameter: PARAMETER,
        test,
    })
}

fn token(code: &str) -> Filter {
    has(Test::Token {
        system: SystemTest::Is("http://s".into()),
        code: Some(vec![code.into()]),
    })
}

fn chain(filter: Filter) -> Filter {
    Filter::RefersTo {
        parameters: vec![PARAMETER],
        resource_type: patient(),
        filter: Box::new(filter),
    }
}

fn referred(filter: Filter) -> Filter {
    Filter::ReferredToBy {
        resource_type: patient(),
        parameter: PARAMETER,
        filter: Box::new(filter),
    }
}

/// A hundred parameters that may all refer to one patient, and that patient.
fn compartment() -> Filter {
    let refers = |place| {
        Filter::Has(Criterion {
            parameter: ParameterNumber(place * 8),
            test: Test::Reference {
                types: vec![patient()],
                id: "p".into(),
                version: None,
            },
        })
    };
    let mut any: Vec<Filter> = (1..=100).map(refers).collect();
    any.push(Filter::Resource(key()));
    Filter::Or(any)
}

#[test]
fn what_refers_to_one_resource_by_many_parameters_is_found_at_once() {
    let filter = compartment();
    let query = SearchQuery::new(None, filter, 50);
    let found = plan(LISTS.by_change(&query, &driven(&query), false).unwrap());
    assert_eq!(found.matches("SEARCH n ").count(), 1, "{found}");
    // The rows of a resource are read once, and not sought for each parameter.
    let tested = plan(page(&query).unwrap());
    assert_eq!(
        tested
            .matches("label_of_resource (tenant=? AND resource=?)")
            .count(),
        1,
        "{tested}"
    );
}

#[test]
fn a_walk_that_ends_early_reads_the_index_of_the_type_alone() {
    let query = SearchQuery::new(Some(patient()), token("a"), 50);
    for ascending in [false, true] {
        let walk = plan(LISTS.by_change(&query, &Way::WalkSome(9), ascending).unwrap());
        assert!(walk.contains("r USING INDEX resource_of_type"), "{walk}");
        assert!(!walk.contains("SCAN l") && !walk.contains("SCAN n"), "{walk}");
        let more = plan(LISTS.goes_on(&query, ascending, 9).unwrap());
        direct(&more);
        assert!(more.contains("COVERING INDEX resource_of_type"), "{more}");
    }
}

/// The first page of an order is looked for in the index of its first key.
#[test]
fn the_edge_of_a_sorted_page_is_found_in_the_order_of_its_index() {
    let text = "term_of_text (tenant=? AND kind=?";
    let span = "PRIMARY KEY (tenant=? AND parameter=? AND unit=?";
    for (kind, index) in [
        (ValueKind::String, text),
        (ValueKind::Date, span),
        (ValueKind::Number, span),
    ] {
        for descending in [false, true] {
            let mut query = SearchQuery::new(Some(patient()), token("a"), 50);
            query.sort.push(Sort {
                key: SortKey::Parameter {
                    parameter: PARAMETER,
                    kind,
                },
                descending,
            });
            let edge = plan(LISTS.edge(&query, Reach::Far).unwrap().unwrap());
            assert!(!edge.contains("TEMP B-TREE FOR"), "{edge}");
            assert!(edge.contains(index), "{edge}");
            assert!(edge.contains("r USING INTEGER PRIMARY KEY (rowid=?)"), "{edge}");
            let place = match kind {
                ValueKind::String => (None, Some(b"b".to_vec())),
                _ => (Some(5), None),
            };
            let until = Way::Until(Edge::new(&query, place).unwrap());
            let found = plan(LISTS.by_keys(&query, &until).unwrap());
            assert!(found.contains(index), "{found}");
            assert!(!found.contains("SCAN l") && !found.contains("SCAN r"), "{found}");
        }
    }
}

/// A criterion is asked of one resource at a time, by what the resource has.
#[test]
fn a_criterion_that_does_not_drive_looks_at_the_rows_of_one_resource() {
    let by_resource = "l USING COVERING INDEX label_of_resource (tenant=? AND resource=? AND parameter=?)";
    let by_number = "n USING INTEGER PRIMARY KEY (rowid=?)";
    for (filter, rows) in [
        (token("a"), vec![by_resource, by_number]),
        (has(Test::StartsWith("a".into())), vec![by_resource, by_number]),
        (has(Test::Contains("a".into())), vec![by_resource, by_number]),
        (has(Test::Exists(ValueKind::Token)), vec![by_resource]),
        (
            Filter::Or(vec![token("a"), token("b"), token("c")]),
            vec![by_resource, by_number],
        ),
        (
            has(Test::Date(Compare::Ge, 1, 2)),
            vec![
                "l USING COVERING INDEX span_of_resource (tenant=? AND resource=? AND parameter=? AND unit=? AND last>?)",
            ],
        ),
        (
            has(Test::Near {
                point: [1.0, 0.0, 0.0],
                chord2: 0.1,
            }),
            vec!["l USING COVERING INDEX place_of_resource (tenant=? AND resource=? AND parameter=?"],
        ),
        (
            chain(token("a")),
            vec![by_resource, "resource_key (tenant=? AND type=? AND id=?)"],
        ),
        (
            referred(token("a")),
            vec![
                "term_of_text (tenant=? AND kind=? AND head=?)",
                "l USING PRIMARY KEY (tenant=? AND parameter=? AND term=?)",
                "r1 USING INTEGER PRIMARY KEY (rowid=?)",
            ],
        ),
    ] {
        for filter in [filter.clone(), Filter::Not(Box::new(filter))] {
            let query = SearchQuery::new(Some(patient()), filter, 50);
            let found = plan(page(&query).unwrap());
            assert!(found.contains("r USING INDEX resource_of_type"), "{found}");
            assert!(!found.contains("SCAN"), "{found}");
            assert!(rows.iter().all(|rows| found.contains(rows)), "{found}");
        }
    }
}

#[test]
fn a_part_that_drives_a_search_is_read_from_its_index() {
    let by_text = "term_of_text (tenant=? AND kind=? AND head=?)";
    let by_term = "l USING PRIMARY KEY (tenant=? AND parameter=? AND term=?)";
    for (filter, parts) in [
        (token("a"), vec![by_text, by_term]),
        (
            has(Test::StartsWith("a".into())),
            vec![
                "term_of_text (tenant=? AND kind=? AND head>? AND head<?)",
                by_term,
            ],
        ),
        (Filter::Or(vec![token("a"), token("b")]), vec![by_text, by_term]),
        (
            has(Test::Date(Compare::Ge, 1, 2)),
            vec!["l USING PRIMARY KEY (tenant=? AND parameter=? AND unit=? AND last>?)"],
        ),
        (
            has(Test::Date(Compare::Lt, 1, 2)),
            vec![
                "l USING PRIMARY KEY (tenant=? AND parameter=? AND unit=? AND last<?)",
                "l USING COVERING INDEX span_of_start (tenant=? AND parameter=? AND unit=? AND first<?)",
            ],
        ),
        (
            has(Test::Every(vec![
                Test::Date(Compare::Ge, 1, 2),
                Test::Date(Compare::Lt, 5, 6),
            ])),
            vec![
                "l USING PRIMARY KEY (tenant=? AND parameter=? AND unit=? AND last>? AND last<?)",
                "l USING COVERING INDEX span_of_start (tenant=? AND parameter=? AND unit=? AND first<?)",
            ],
        ),
        (
            has(Test::Every(vec![
                Test::Folded("a".into()),
                Test::Exact("A".into()),
            ])),
            vec![by_text, by_term],
        ),
        (compartment(), vec![by_text, by_term]),
        (
            Filter::Or(vec![
                Filter::Resource(key()),
                Filter::And(vec![Filter::Types(vec![patient()]), token("a")]),
            ]),
            vec!["resource_key (tenant=? AND type=? AND id=?)", by_text, by_term],
        ),
        (
            has(Test::Near {
                point: [1.0, 0.0, 0.0],
                chord2: 0.1,
            }),
            vec!["l USING PRIMARY KEY (tenant=? AND parameter=? AND z>? AND z<?)"],
        ),
        (
            chain(token("a")),
            vec![by_text, by_term, "r1 USING INTEGER PRIMARY KEY (rowid=?)"],
        ),
        (
            referred(token("a")),
            vec![
                by_text,
                by_term,
                "label_of_resource (tenant=? AND resource=? AND parameter=?)",
            ],
        ),
        (
            chain(Filter::Ids(vec!["p".into()])),
            vec!["resource_key (tenant=? AND type=? AND id=?)", by_text, by_term],
        ),
    ] {
        let query = SearchQuery::new(Some(patient()), filter, 50);
        let way = driven(&query);
        let total = LISTS.search_total(&query, &way, 100).unwrap();
        let found = plan(total);
        assert!(
            !found.contains("SCAN n") && !found.contains("SCAN l") && !found.contains("SCAN r"),
            "{found}"
        );
        assert!(found.contains("r USING INTEGER PRIMARY KEY (rowid=?)"), "{found}");
        assert!(parts.iter().all(|part| found.contains(part)), "{found}");
        let sorted = LISTS.by_change(&query, &way, false).unwrap();
        assert!(plan(sorted).contains("r USING INTEGER PRIMARY KEY (rowid=?)"));
    }
}

#[test]
fn links_and_orders_look_at_the_rows_of_the_resources_they_are_of() {
    let forward = Link::Forward {
        parameters: vec![PARAMETER],
        urls: Vec::new(),
        targets: vec![(patient(), Filter::All)],
    };
    let backward = Link::Backward {
        parameters: vec![PARAMETER],
        urls: Vec::new(),
        source: patient(),
        filter: Filter::All,
    };
    for (link, parts) in [
        (
            forward,
            [
                "f USING COVERING INDEX resource_key (tenant=? AND type=? AND id=?)",
                "label_of_resource (tenant=? AND resource=?",
            ],
        ),
        (
            backward,
            [
                "term_of_text (tenant=? AND kind=? AND head=?)",
                "l USING PRIMARY KEY",
            ],
        ),
    ] {
        let group = Key {
            resource_type: ResourceType::from_name("Group").unwrap(),
            id: "a".into(),
        };
        let query = LinkQuery::new(vec![key(), group], link, 50);
        let found = plan(LISTS.linked(&query).unwrap());
        assert!(
            !found.contains("SCAN l") && !found.contains("SCAN n") && !found.contains("SCAN r"),
            "{found}"
        );
        assert!(parts.iter().all(|part| found.contains(part)), "{found}");
    }
    let mut query = SearchQuery::new(Some(patient()), token("a"), 50);
    for kind in [ValueKind::String, ValueKind::Date] {
        query.sort.push(Sort {
            key: SortKey::Parameter {
                parameter: PARAMETER,
                kind,
            },
            descending: false,
        });
    }
    let found = plan(LISTS.by_keys(&query, &driven(&query)).unwrap());
    for part in [
        "label_of_resource",
        "span_of_resource",
        "r USING INTEGER PRIMARY KEY (rowid=?)",
    ] {
        assert!(found.contains(part), "{found}");
    }
}

#[test]
fn words_are_found_by_their_own_index_and_what_is_contained_by_its_rows() {
    let words = Filter::Words {
        narrative: true,
        phrase: vec!["red".into(), "blue".into()],
    };
    let query = SearchQuery::new(Some(patient()), words, 10);
    let found = plan(LISTS.by_change(&query, &driven(&query), false).unwrap());
    assert!(found.contains("w VIRTUAL TABLE"), "{found}");
    assert!(found.contains("l USING INTEGER PRIMARY KEY (rowid=?)"), "{found}");
    let tested = plan(page(&query).unwrap());
    assert!(
        tested.contains("passage_of_resource (tenant=? AND resource=?)"),
        "{tested}"
    );
    let token = Filter::Has(Criterion {
        parameter: PARAMETER,
        test: Test::Token {
            system: SystemTest::Any,
            code: Some(vec!["red".into()]),
        },
    });
    for filter in [
        Filter::Contains {
            resource_type: patient(),
            filter: Box::new(token.clone()),
        },
        Filter::RefersInside {
            parameters: vec![PARAMETER],
            resource_type: patient(),
            filter: Box::new(token),
        },
    ] {
        let query = SearchQuery::new(Some(patient()), filter, 10);
        let found = plan(LISTS.by_change(&query, &driven(&query), false).unwrap());
        assert!(
            found.contains("r1 USING INTEGER PRIMARY KEY (rowid=?)"),
            "{found}"
        );
        let tested = plan(page(&query).unwrap());
        assert!(
            tested.contains("contained_in (tenant=? AND container=?)"),
            "{tested}"
        );
    }
}
