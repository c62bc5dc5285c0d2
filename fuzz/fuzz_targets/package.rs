//! Packages: any bytes are read or refused within the limits, as an archive, as a gzipped tar made of them, and as its one member.

#![no_main]

use std::io::Write;

use fhir_validate::package::{Limits, Package, of_xml};
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

const LIMITS: Limits = Limits { packed: 1 << 16, total: 1 << 20, member: 1 << 18, members: 64 };

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory takes it");
    gzip.finish().expect("memory takes it")
}

fn with_member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    tar.append_data(&mut header, name, content).expect("memory takes it");
    gzipped(&tar.into_inner().expect("memory takes it"))
}

fn read(tgz: &[u8]) {
    if let Ok(package) = Package::read(tgz, &LIMITS) {
        assert!(package.resources.len() + package.skipped.len() <= LIMITS.members);
        assert!(package.resources.iter().all(|r| r.get("resourceType").is_some()));
    }
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    read(&gzipped(bytes));
    for name in ["package/package.json", "package/a.json", "package/a.xml"] {
        let package = Package::read(&with_member(name, bytes), &LIMITS).expect("such an archive is read");
        assert!(package.resources.len() + package.skipped.len() <= 1);
    }
    drop(of_xml(bytes));
});
