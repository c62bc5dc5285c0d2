//! Random rows, and random questions to them: what the differential case is made of. The same seed gives the same.

use crate::context::Millis;
use crate::store::{
    Compare, Criterion, Filter, Index, IndexRow, IndexValue, Key, ParameterNumber, ResourceType, Sort,
    SortKey, SystemTest, Test, UnitTest, ValueKind,
};

/// Types that the resources are of.
const TYPES: [&str; 3] = ["Patient", "Observation", "List"];
const SYSTEMS: [&str; 2] = ["http://a.example", "http://a.example/b"];
const URIS: [&str; 7] = [
    "http://a.example",
    "http://a.example/b",
    "http://a.example/b/c",
    "http://a.example/bc",
    "http://a.example.org",
    "urn:a",
    "urn:a:b",
];
const KINDS: [ValueKind; 8] = [
    ValueKind::String,
    ValueKind::Token,
    ValueKind::Reference,
    ValueKind::Uri,
    ValueKind::Date,
    ValueKind::Number,
    ValueKind::Quantity,
    ValueKind::Position,
];
const COMPARES: [Compare; 9] = [
    Compare::Eq,
    Compare::Ne,
    Compare::Gt,
    Compare::Lt,
    Compare::Ge,
    Compare::Le,
    Compare::Sa,
    Compare::Eb,
    Compare::Ap,
];

/// A source of chance.
pub(super) struct Dice(u64);

impl Dice {
    /// From that seed on.
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below that one.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    /// True once in so many times.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Copy>(&mut self, of: &[T], otherwise: T) -> T {
        let place = self.below(of.len());
        of.get(place).copied().unwrap_or(otherwise)
    }

    fn text(&mut self) -> String {
        // Some are longer than what an index holds.
        let start = if self.one_in(6) {
            "a".repeat(118)
        } else {
            String::new()
        };
        let length = self.below(4);
        let rest: String = (0..length).map(|_| self.pick(&['a', 'b', 'é'], 'a')).collect();
        start + &rest
    }

    fn maybe(&mut self, of: &[&str]) -> Option<String> {
        (!self.one_in(3)).then(|| self.pick(of, "").to_owned())
    }

    fn parameter(&mut self) -> ParameterNumber {
        ParameterNumber(i32::try_from(self.below(4)).unwrap_or_default() + 1)
    }

    fn parameters(&mut self) -> Vec<ParameterNumber> {
        (0..=self.below(2)).map(|_| self.parameter()).collect()
    }

    fn number(&mut self) -> f64 {
        self.pick(
            &[-1.5, -0.0, 0.0, 0.1, 2.0, 70.45, f64::INFINITY, f64::NEG_INFINITY],
            0.0,
        )
    }

    fn range(&mut self) -> (f64, f64) {
        let (a, b) = (self.number(), self.number());
        (a.min(b), a.max(b))
    }

    fn span(&mut self) -> (i64, i64) {
        let ends = [
            i64::MIN,
            -3,
            0,
            1,
            2,
            1 << 26,
            1 << 28,
            1_764_000_000_000,
            i64::MAX,
        ];
        let (a, b) = (self.pick(&ends, 0), self.pick(&ends, 0));
        (a.min(b), a.max(b))
    }

    /// One of the types.
    pub(super) fn resource_type(&mut self) -> Option<ResourceType> {
        ResourceType::from_name(self.pick(&TYPES, "Patient"))
    }

    fn id(&mut self) -> String {
        match self.below(8) {
            7 => "8f0e6d2a-1b3c-4d5e-9f60-718293a4b5c6".into(),
            n => format!("r{n}"),
        }
    }

    /// A key of few.
    pub(super) fn key(&mut self) -> Option<Key> {
        Some(Key {
            resource_type: self.resource_type()?,
            id: self.id(),
        })
    }

    fn point(&mut self) -> [f64; 3] {
        self.pick(
            &[
                [1.0, 0.0, 0.0],
                [0.0, 1.0, 0.0],
                [0.6, 0.8, 0.0],
                [0.0, 0.6, -0.8],
            ],
            [1.0, 0.0, 0.0],
        )
    }

    fn value(&mut self) -> Option<IndexValue> {
        let version = if self.one_in(3) {
            self.maybe(&["1", "2"])
        } else {
            None
        };
        Some(match self.pick(&KINDS, ValueKind::Token) {
            ValueKind::String => IndexValue::String {
                folded: self.text(),
                exact: self.text(),
            },
            ValueKind::Token => IndexValue::Token {
                system: self.maybe(&SYSTEMS),
                code: self.text(),
            },
            ValueKind::Reference => IndexValue::Reference {
                resource_type: self.resource_type()?,
                id: self.id(),
                version,
            },
            ValueKind::Uri => IndexValue::Uri {
                uri: self.pick(&URIS, "").to_owned(),
                version,
            },
            ValueKind::Date => {
                let (first, last) = self.span();
                IndexValue::Date { first, last }
            }
            ValueKind::Number => {
                let (low, high) = self.range();
                IndexValue::Number { low, high }
            }
            ValueKind::Quantity => {
                let (low, high) = self.range();
                IndexValue::Quantity {
                    low,
                    high,
                    system: self.maybe(&SYSTEMS),
                    code: self.maybe(&["mg", "g"]),
                    unit: self.maybe(&["mg", "gram"]),
                }
            }
            ValueKind::Position => IndexValue::Position { point: self.point() },
        })
    }

    /// The rows of a resource.
    pub(super) fn index(&mut self) -> Index {
        let mut rows = Vec::new();
        for _ in 0..self.below(9) {
            let group = i32::try_from(self.below(3)).unwrap_or_default();
            rows.extend(self.value().map(|value| IndexRow {
                parameter: self.parameter(),
                group,
                value,
            }));
        }
        Index::new(rows)
    }

    /// A test, or several that one value has to pass.
    fn test(&mut self) -> Option<Test> {
        if !self.one_in(8) {
            return self.plain_test();
        }
        let mut all = Vec::new();
        match self.one_in(2) {
            true => all.extend([Test::StartsWith(self.text()), Test::Contains(self.text())]),
            // Those of one kind have something in common.
            false => {
                for _ in 0..=self.below(2) {
                    let (a, b) = self.span();
                    all.push(Test::Date(self.pick(&COMPARES, Compare::Eq), a, b));
                }
            }
        }
        if self.one_in(6) {
            all.extend(self.plain_test());
        }
        Some(Test::Every(all))
    }

    fn plain_test(&mut self) -> Option<Test> {
        let compare = self.pick(&COMPARES, Compare::Eq);
        Some(match self.below(19) {
            0 => Test::Exists(self.pick(&KINDS, ValueKind::Token)),
            18 => Test::NoneOf((0..self.below(3)).filter_map(|_| self.test()).collect()),
            1 => Test::StartsWith(self.text()),
            2 => Test::Contains(self.text()),
            3 => Test::EndsWith(self.text()),
            4 => Test::Folded(self.text()),
            5 => Test::Exact(self.text()),
            6..=8 => Test::Token {
                system: match self.below(3) {
                    0 => SystemTest::Any,
                    1 => SystemTest::Absent,
                    _ => SystemTest::Is(self.pick(&SYSTEMS, "").to_owned()),
                },
                code: (!self.one_in(4)).then(|| (0..=self.below(3)).map(|_| self.text()).collect()),
            },
            9 => Test::Reference {
                types: (0..self.below(3)).filter_map(|_| self.resource_type()).collect(),
                id: self.id(),
                version: if self.one_in(3) {
                    self.maybe(&["1", "2"])
                } else {
                    None
                },
            },
            10 => Test::ReferenceType((0..self.below(3)).filter_map(|_| self.resource_type()).collect()),
            11 => Test::Uri {
                uri: self.pick(&URIS, "").to_owned(),
                version: if self.one_in(3) {
                    self.maybe(&["1", "2"])
                } else {
                    None
                },
            },
            12 => Test::UriBelow(
                self.pick(&["http://a.example", "http://a.example/", "urn:a", "urn:"], "")
                    .to_owned(),
            ),
            13 => Test::UriAbove(
                (0..self.below(4))
                    .map(|_| self.pick(&URIS, "").to_owned())
                    .collect(),
            ),
            14 => {
                let (a, b) = self.span();
                Test::Date(compare, a, b)
            }
            15 => {
                let (a, b) = self.range();
                Test::Number(compare, a, b)
            }
            16 => {
                let (a, b) = self.range();
                let unit = match self.below(3) {
                    0 => UnitTest::Any,
                    1 => UnitTest::Coded {
                        system: self.pick(&SYSTEMS, "").to_owned(),
                        code: self.pick(&["mg", "g"], "").to_owned(),
                    },
                    _ => UnitTest::Named(self.pick(&["mg", "g", "gram"], "").to_owned()),
                };
                Test::Quantity(compare, a, b, unit)
            }
            _ => Test::Near {
                point: self.point(),
                chord2: self.pick(&[0.0, 0.5, 2.0, 4.0], 0.5),
            },
        })
    }

    fn criterion(&mut self) -> Option<Criterion> {
        Some(Criterion {
            parameter: self.parameter(),
            test: self.test()?,
        })
    }

    /// A question; `depth` is how many more levels it may have.
    pub(super) fn filter(&mut self, depth: usize, now: Millis) -> Option<Filter> {
        let inner = depth.saturating_sub(1);
        let kind = self.below(if depth == 0 { 10 } else { 20 });
        Some(match kind {
            0..=5 => Filter::Has(self.criterion()?),
            6 => Filter::Group((0..=self.below(3)).filter_map(|_| self.criterion()).collect()),
            7 => Filter::Ids((0..self.below(4)).map(|_| self.id()).collect()),
            8 => Filter::LastUpdated {
                from: Some(Millis(
                    now.0 - 200 + i64::try_from(self.below(200)).unwrap_or_default(),
                )),
                to: None,
            },
            9 => match self.below(4) {
                0 => Filter::All,
                1 => Filter::None,
                2 => Filter::Resource(self.key()?),
                _ => Filter::Types((0..self.below(3)).filter_map(|_| self.resource_type()).collect()),
            },
            10 | 11 => Filter::And(
                (0..self.below(4))
                    .filter_map(|_| self.filter(inner, now))
                    .collect(),
            ),
            12 | 13 => Filter::Or(
                (0..self.below(4))
                    .filter_map(|_| self.filter(inner, now))
                    .collect(),
            ),
            14 => Filter::Not(Box::new(self.filter(inner, now)?)),
            15 => Filter::RefersByUrl {
                parameters: self.parameters(),
                urls: self.parameters(),
                resource_type: self.resource_type()?,
                filter: Box::new(self.filter(inner, now)?),
            },
            16 => Filter::ReferredToByUrl {
                resource_type: self.resource_type()?,
                parameter: self.parameter(),
                urls: self.parameters(),
                filter: Box::new(self.filter(inner, now)?),
            },
            17 | 18 => Filter::RefersTo {
                parameters: self.parameters(),
                resource_type: self.resource_type()?,
                filter: Box::new(self.filter(inner, now)?),
            },
            _ => Filter::ReferredToBy {
                resource_type: self.resource_type()?,
                parameter: self.parameter(),
                filter: Box::new(self.filter(inner, now)?),
            },
        })
    }

    /// An order.
    pub(super) fn sort(&mut self) -> Vec<Sort> {
        let keys = (0..self.below(4)).map(|_| {
            let key = match self.below(6) {
                0 => SortKey::LastUpdated,
                1 => SortKey::Id,
                2 => SortKey::AnyParameter {
                    parameters: self.parameters().into(),
                    kind: self.pick(KINDS.split_last().map_or(&[], |(_, rest)| rest), ValueKind::Token),
                },
                _ => SortKey::Parameter {
                    parameter: self.parameter(),
                    kind: self.pick(KINDS.split_last().map_or(&[], |(_, rest)| rest), ValueKind::Token),
                },
            };
            Sort {
                key,
                descending: self.one_in(2),
            }
        });
        keys.collect()
    }

    /// What links of a few resources there may be.
    pub(super) fn link(&mut self, now: Millis) -> Option<crate::store::Link> {
        Some(match self.below(2) {
            0 => crate::store::Link::Forward {
                parameters: if self.one_in(3) {
                    Vec::new()
                } else {
                    self.parameters()
                },
                urls: if self.one_in(3) {
                    self.parameters()
                } else {
                    Vec::new()
                },
                targets: (0..self.below(3))
                    .filter_map(|_| Some((self.resource_type()?, self.filter(1, now)?)))
                    .collect(),
            },
            _ => crate::store::Link::Backward {
                parameters: self.parameters(),
                urls: if self.one_in(3) {
                    self.parameters()
                } else {
                    Vec::new()
                },
                source: self.resource_type()?,
                filter: self.filter(1, now)?,
            },
        })
    }
}
