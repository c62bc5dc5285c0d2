//! Counts and times of requests in the text form of Prometheus, free of anything about patients.
//!
//! Invariant: labels come from closed lists (interactions, resource types, status classes), never from a client.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::http::routes::ROUTES;
use crate::interaction::Interaction;
use crate::store::ResourceType;

/// Upper bounds of the latency buckets, in microseconds.
const BOUNDS: [u64; 14] = [
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000,
    30_000_000,
];

/// The counters of one server.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// by interaction (one more for none), type (0 for none) and status class
    requests: Vec<AtomicU64>,
    latency: Vec<Histogram>,
    panics: AtomicU64,
    in_flight: AtomicU64,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [AtomicU64; BOUNDS.len()],
    count: AtomicU64,
    micros: AtomicU64,
}

/// Counts a request as under way until dropped.
pub(crate) struct InFlight<'m>(&'m Metrics);

/// The interactions of the table of routes, each once, in its order.
fn interactions() -> impl Iterator<Item = Interaction> {
    let first = |i: usize, interaction| !ROUTES.iter().take(i).any(|r| r.interaction == interaction);
    ROUTES
        .iter()
        .enumerate()
        .filter(move |(i, r)| first(*i, r.interaction))
        .map(|(_, r)| r.interaction)
}

impl Default for Metrics {
    fn default() -> Self {
        let rows = interactions().count() + 1;
        Metrics {
            requests: (0..rows * types() * 5).map(|_| AtomicU64::new(0)).collect(),
            latency: (0..rows).map(|_| Histogram::default()).collect(),
            panics: AtomicU64::new(0),
            in_flight: AtomicU64::new(0),
        }
    }
}

fn types() -> usize {
    fhir_model::Resource::TYPES.len() + 1
}

fn row(interaction: Option<Interaction>) -> usize {
    interaction
        .and_then(|i| interactions().position(|other| other == i))
        .map_or(0, |at| at + 1)
}

impl Metrics {
    /// Counts a request as under way.
    pub(crate) fn begin(&self) -> InFlight<'_> {
        self.in_flight.fetch_add(1, Relaxed);
        InFlight(self)
    }

    /// Counts an answer.
    pub(crate) fn record(
        &self,
        interaction: Option<Interaction>,
        resource_type: Option<ResourceType>,
        status: u16,
        took: Duration,
    ) {
        let row = row(interaction);
        let column = resource_type
            .and_then(|t| usize::try_from(t.number()).ok())
            .unwrap_or(0);
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        if let Some(counter) = self.requests.get((row * types() + column) * 5 + class) {
            counter.fetch_add(1, Relaxed);
        }
        if let Some(histogram) = self.latency.get(row) {
            histogram.record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Counts a panic that was caught.
    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    /// All of it in the text form of Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
    pub(crate) fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out).map_or_else(|_| String::new(), |()| out)
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let labels: Vec<&str> = std::iter::once("none")
            .chain(interactions().map(Interaction::code))
            .collect();
        head(
            out,
            "fhir_requests_total",
            "counter",
            "Answers by interaction, resource type and status class.",
        )?;
        let mut counters = self.requests.iter();
        for interaction in &labels {
            for resource_type in std::iter::once("").chain(fhir_model::Resource::TYPES.iter().copied()) {
                for (class, counter) in ["1xx", "2xx", "3xx", "4xx", "5xx"].iter().zip(counters.by_ref()) {
                    let count = counter.load(Relaxed);
                    if count > 0 {
                        let kind = format!("interaction=\"{interaction}\",type=\"{resource_type}\"");
                        writeln!(out, "fhir_requests_total{{{kind},status=\"{class}\"}} {count}")?;
                    }
                }
            }
        }
        head(
            out,
            "fhir_request_seconds",
            "histogram",
            "From the request's head to the start of its answer.",
        )?;
        for (interaction, histogram) in labels.iter().zip(&self.latency) {
            histogram.write(out, interaction)?;
        }
        self.write_single(out)
    }

    fn write_single(&self, out: &mut String) -> std::fmt::Result {
        head(
            out,
            "fhir_requests_in_flight",
            "gauge",
            "Requests that wait for their answer.",
        )?;
        writeln!(out, "fhir_requests_in_flight {}", self.in_flight.load(Relaxed))?;
        head(
            out,
            "fhir_panics_total",
            "counter",
            "Requests that ended in a panic and were answered with 500.",
        )?;
        writeln!(out, "fhir_panics_total {}", self.panics.load(Relaxed))?;
        if let Some(bytes) = resident_bytes() {
            head(
                out,
                "process_resident_memory_bytes",
                "gauge",
                "Resident memory of the process.",
            )?;
            writeln!(out, "process_resident_memory_bytes {bytes}")?;
        }
        Ok(())
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Relaxed);
    }
}

impl Histogram {
    fn record(&self, micros: u64) {
        let bucket = BOUNDS
            .iter()
            .zip(&self.buckets)
            .find(|(bound, _)| micros <= **bound);
        if let Some((_, bucket)) = bucket {
            bucket.fetch_add(1, Relaxed);
        }
        self.count.fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    fn write(&self, out: &mut String, interaction: &str) -> std::fmt::Result {
        let count = self.count.load(Relaxed);
        if count == 0 {
            return Ok(());
        }
        let name = "fhir_request_seconds";
        let mut below = 0;
        for (bound, bucket) in BOUNDS.iter().zip(&self.buckets) {
            below += bucket.load(Relaxed);
            let bound = Duration::from_micros(*bound).as_secs_f64();
            writeln!(
                out,
                "{name}_bucket{{interaction=\"{interaction}\",le=\"{bound}\"}} {below}"
            )?;
        }
        writeln!(
            out,
            "{name}_bucket{{interaction=\"{interaction}\",le=\"+Inf\"}} {count}"
        )?;
        let seconds = Duration::from_micros(self.micros.load(Relaxed)).as_secs_f64();
        writeln!(out, "{name}_sum{{interaction=\"{interaction}\"}} {seconds}")?;
        writeln!(out, "{name}_count{{interaction=\"{interaction}\"}} {count}")
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// Where the system tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim()
        .strip_suffix(" kB")?
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_interaction_type_and_class() {
        let metrics = Metrics::default();
        let patient = ResourceType::from_name("Patient");
        metrics.record(Some(Interaction::Read), patient, 200, Duration::from_millis(3));
        metrics.record(Some(Interaction::Read), patient, 304, Duration::from_millis(3));
        metrics.record(Some(Interaction::Read), patient, 200, Duration::from_secs(100));
        metrics.record(None, None, 404, Duration::ZERO);
        let text = metrics.to_text();
        for line in [
            "fhir_requests_total{interaction=\"read\",type=\"Patient\",status=\"2xx\"} 2",
            "fhir_requests_total{interaction=\"read\",type=\"Patient\",status=\"3xx\"} 1",
            "fhir_requests_total{interaction=\"none\",type=\"\",status=\"4xx\"} 1",
            "fhir_request_seconds_bucket{interaction=\"read\",le=\"0.0025\"} 0",
            "fhir_request_seconds_bucket{interaction=\"read\",le=\"0.005\"} 2",
            "fhir_request_seconds_bucket{interaction=\"read\",le=\"30\"} 2",
            "fhir_request_seconds_bucket{interaction=\"read\",le=\"+Inf\"} 3",
            "fhir_request_seconds_sum{interaction=\"read\"} 100.006",
            "fhir_request_seconds_count{interaction=\"read\"} 3",
            "fhir_panics_total 0",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn requests_under_way_come_and_go() {
        let metrics = Metrics::default();
        let first = metrics.begin();
        assert!(metrics.to_text().contains("fhir_requests_in_flight 1\n"));
        drop(first);
        assert!(metrics.to_text().contains("fhir_requests_in_flight 0\n"));
    }

    #[test]
    fn the_memory_of_the_process_is_told() {
        if cfg!(target_os = "linux") {
            assert!(resident_bytes().unwrap() > 1024 * 1024);
        }
    }
}
