//! Reads releases that are made up here: a handful of concepts, in a folder and in an archive.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::{Bounds, ReleaseError, dmd, snomed};
use crate::terminology::{CodeQuery, Known, Library, Membership, NotMember, Terminology};

const SNOMED: &str = "http://snomed.info/sct";
const DMD: &str = "https://dmd.nhs.uk";

/// Name and content of the files of a made-up SNOMED CT release: a root, a finding below it, one below that, and one that
/// is no longer active.
fn rf2() -> Vec<(String, String)> {
    let table = |head: &str, rows: &[&str]| {
        let lines = std::iter::once(head).chain(rows.iter().copied());
        lines
            .map(|l| format!("{}\r\n", l.replace(' ', "\t").replace('_', " ")))
            .collect::<String>()
    };
    let file = |kind: &str, name: &str, text: String| {
        (
            format!("Made-up/Snapshot/{kind}/{name}_GB1000000_20260101.txt"),
            text,
        )
    };
    vec![
        file(
            "Terminology",
            "sct2_Concept_Snapshot",
            table(
                "id time active module definition",
                &[
                    "138875005 20020131 1 1 1",
                    "404684003 20020131 1 1 1",
                    "73211009 20020131 1 1 1",
                    "1000 20020131 1 1 1",
                    "1000 20250101 0 1 1",
                ],
            ),
        ),
        file(
            "Terminology",
            "sct2_Description_Snapshot-en",
            table(
                "id time active module concept language type term case",
                &[
                    "11 20020131 1 1 138875005 en 900000000000003001 Root_(root) 1",
                    "21 20020131 1 1 404684003 en 900000000000013009 Finding 1",
                    "22 20020131 1 1 404684003 en 900000000000003001 Finding_(finding) 1",
                    "31 20020131 1 1 73211009 en 900000000000013009 Sugar_disease 1",
                    "32 20020131 1 1 73211009 en 900000000000013009 Diabetes_mellitus 1",
                    "33 20020131 0 1 73211009 en 900000000000013009 Never_said 1",
                    "41 20020131 1 1 1000 en 900000000000013009 Old 1",
                ],
            ),
        ),
        file(
            "Terminology",
            "sct2_Relationship_Snapshot",
            table(
                "id time active module source destination group type kind modifier",
                &[
                    "1 20020131 1 1 404684003 138875005 0 116680003 1 1",
                    "2 20020131 1 1 73211009 404684003 0 116680003 1 1",
                    "3 20020131 0 1 73211009 1000 0 116680003 1 1",
                ],
            ),
        ),
        file(
            "Refset/Language",
            "der2_cRefset_LanguageSnapshot-en",
            table(
                "id time active module refset component acceptability",
                &[
                    "a 20020131 1 1 900000000000508004 32 900000000000548007",
                    "b 20020131 1 1 900000000000508004 31 900000000000549004",
                ],
            ),
        ),
        file(
            "Refset/Content",
            "der2_Refset_SimpleSnapshot",
            table(
                "id time active module refset component",
                &["c 20020131 1 1 999 73211009"],
            ),
        ),
    ]
}

fn dictionary() -> Vec<(String, String)> {
    let file = |name: &str, body: &str| {
        (
            format!("{name}2_3010126.xml"),
            format!("<?xml version=\"1.0\"?>\n<ALL>{body}</ALL>"),
        )
    };
    vec![
        file("f_vtm", "<VTM><VTMID>90332006</VTMID><NM>Paracetamol</NM></VTM>"),
        file("f_vmp", "<VMPS><VMP><VPID>322236009</VPID><VTMID>90332006</VTMID><NM>Paracetamol 500mg tablets</NM></VMP></VMPS>
              <VIRTUAL_PRODUCT_INGREDIENT><VPI><VPID>322236009</VPID></VPI></VIRTUAL_PRODUCT_INGREDIENT>"),
        file("f_amp", "<AMPS><AMP><APID>12</APID><INVALID>1</INVALID><VPID>322236009</VPID><NM>Brand</NM>
              <DESC>Brand &amp; Sons 500mg tablets</DESC></AMP></AMPS>"),
    ]
}

fn folder(files: &[(String, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

/// A ZIP archive of the files; `size` may lie about the unpacked size of each.
fn archive(files: &[(String, String)], size: impl Fn(usize) -> usize) -> tempfile::NamedTempFile {
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    let four = |n: usize| u32::try_from(n).unwrap().to_le_bytes();
    let two = |n: usize| u16::try_from(n).unwrap().to_le_bytes();
    for (name, text) in files {
        let mut packer = DeflateEncoder::new(Vec::new(), Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        let offset = body.len();
        // Version, flags, method, time, date, checksum, sizes, lengths of name and extra field.
        let shared = [
            &two(20)[..],
            &two(0),
            &two(8),
            &two(0),
            &two(0),
            &four(0),
            &four(packed.len()),
            &four(size(text.len())),
            &two(name.len()),
            &two(0),
        ]
        .concat();
        body.extend([b"PK\x03\x04", &shared[..], name.as_bytes(), &packed].concat());
        directory.extend(
            [
                b"PK\x01\x02",
                &two(20)[..],
                &shared,
                &two(0),
                &two(0),
                &two(0),
                &four(0),
                &four(offset),
                name.as_bytes(),
            ]
            .concat(),
        );
    }
    let end = [
        b"PK\x05\x06",
        &two(0)[..],
        &two(0),
        &two(files.len()),
        &two(files.len()),
        &four(directory.len()),
        &four(body.len()),
        &two(0),
    ]
    .concat();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&[body, directory, end].concat()).unwrap();
    file
}

fn held(path: &Path) -> Library {
    let library = Library::over(Library::r4());
    library.add_release(snomed(path, &Bounds::default()).unwrap());
    library
}

fn ask<'a>(system: &'a str, code: &'a str) -> CodeQuery<'a> {
    CodeQuery {
        system: Some(system),
        code,
        ..CodeQuery::default()
    }
}

#[test]
fn a_snomed_ct_release_is_read_from_a_folder_and_from_an_archive() {
    let (folder, archive) = (folder(&rf2()), archive(&rf2(), |size| size));
    for path in [folder.path(), archive.path()] {
        let release = snomed(path, &Bounds::default()).unwrap();
        let version = "http://snomed.info/sct/83821000000107/version/20260101".to_owned();
        assert_eq!(release.contents(), [(SNOMED.to_owned(), Some(version), 4)]);
        let library = held(path);
        let known = library.look_up(&CodeQuery {
            display: Some("Sugar disease"),
            ..ask(SNOMED, "73211009")
        });
        let display = Some("Diabetes mellitus".to_owned());
        assert_eq!(
            known,
            Known::Yes {
                display,
                display_is_right: true
            }
        );
        let wrong = library.look_up(&CodeQuery {
            display: Some("Never said"),
            ..ask(SNOMED, "73211009")
        });
        assert!(matches!(
            wrong,
            Known::Yes {
                display_is_right: false,
                ..
            }
        ));
        assert!(matches!(
            library.look_up(&ask(SNOMED, "73211008")),
            Known::No { near: Some(_) }
        ));
    }
}

#[test]
fn implied_value_sets_of_snomed_ct_are_found() {
    let folder = folder(&rf2());
    let library = held(folder.path());
    let diabetes = ask(SNOMED, "73211009");
    let is_in = |set: &str, code: &CodeQuery<'_>| {
        matches!(library.validate_code(set, code), Membership::Member { .. })
    };
    for set in [
        "http://snomed.info/sct?fhir_vs",
        "http://snomed.info/sct?fhir_vs=isa/404684003",
        "http://snomed.info/sct?fhir_vs=refset/999",
        "http://snomed.info/sct/83821000000107?fhir_vs=isa/138875005",
        "http://snomed.info/sct/83821000000107/version/20260101?fhir_vs",
    ] {
        assert!(is_in(set, &diabetes), "{set}");
    }
    let outside = library.validate_code(
        "http://snomed.info/sct?fhir_vs=refset/999",
        &ask(SNOMED, "404684003"),
    );
    assert!(matches!(
        outside,
        Membership::NotMember {
            reason: NotMember::UnknownInValueSet,
            ..
        }
    ));
    assert!(!is_in(
        "http://snomed.info/sct/900000000000207008?fhir_vs",
        &diabetes
    ));
    let old = library.validate_code("http://snomed.info/sct?fhir_vs", &ask(SNOMED, "1000"));
    assert!(matches!(old, Membership::Member { inactive: true, .. }));
}

#[test]
fn a_dmd_release_is_held_under_both_code_systems() {
    let library = Library::over(Library::r4());
    library.add_release(dmd(folder(&dictionary()).path(), &Bounds::default()).unwrap());
    for system in [DMD, SNOMED] {
        let known = library.look_up(&ask(system, "322236009"));
        let display = Some("Paracetamol 500mg tablets".to_owned());
        assert_eq!(
            known,
            Known::Yes {
                display,
                display_is_right: true
            },
            "{system}"
        );
    }
    let brand = library.look_up(&ask(DMD, "12"));
    assert!(matches!(brand, Known::Yes { display: Some(d), .. } if d == "Brand & Sons 500mg tablets"));
    assert!(matches!(library.look_up(&ask(DMD, "13")), Known::No { .. }));
    // The rest of SNOMED CT is still not held.
    assert!(matches!(
        library.look_up(&ask(SNOMED, "13")),
        Known::Unchecked { .. }
    ));
}

#[test]
fn an_archive_whose_sizes_lie_is_refused() {
    for lie in [|size: usize| size / 2, |size: usize| size * 2] {
        let archive = archive(&rf2(), lie);
        let refused = snomed(archive.path(), &Bounds::default()).unwrap_err();
        assert!(refused.to_string().contains("size"), "{refused}");
    }
}

#[test]
fn bounds_are_kept() {
    let (folder, archive) = (folder(&rf2()), archive(&rf2(), |size| size));
    for path in [folder.path(), archive.path()] {
        let small = |change: fn(&mut Bounds)| {
            let mut bounds = Bounds::default();
            change(&mut bounds);
            snomed(path, &bounds).unwrap_err()
        };
        assert!(matches!(small(|b| b.files = 2), ReleaseError::TooLarge(_)));
        assert!(matches!(small(|b| b.line = 10), ReleaseError::TooLarge(_)));
        assert!(matches!(small(|b| b.bytes = 100), ReleaseError::Io(..)));
    }
}

#[test]
fn what_is_no_release_is_refused() {
    let text = |name: &str, text: &str| vec![(name.to_owned(), text.to_owned())];
    let nothing = folder(&text("readme.txt", "nothing"));
    let incomplete = |found| matches!(found, Err(ReleaseError::Incomplete(_)));
    assert!(
        incomplete(snomed(nothing.path(), &Bounds::default()))
            && incomplete(dmd(nothing.path(), &Bounds::default()))
    );
    let file = nothing.path().join("readme.txt");
    assert!(matches!(
        snomed(&file, &Bounds::default()),
        Err(ReleaseError::Archive(_))
    ));
    assert!(matches!(
        snomed(&nothing.path().join("no"), &Bounds::default()),
        Err(ReleaseError::Io(..))
    ));
    let rows = folder(&text(
        "sct2_Concept_Snapshot_INT_1.txt",
        "id\ttime\nx\t1\t1\t1\t1\n",
    ));
    assert!(matches!(
        snomed(rows.path(), &Bounds::default()),
        Err(ReleaseError::Malformed(_))
    ));
    for bad in [
        "<a><VTM><NM>n</NM></VTM></a>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><a/>",
        "<a><VTM><NM>&b;</NM></VTM></a>",
    ] {
        let folder = folder(&text("f_vtm2_1.xml", bad));
        assert!(
            matches!(
                dmd(folder.path(), &Bounds::default()),
                Err(ReleaseError::Malformed(_))
            ),
            "{bad}"
        );
    }
}

#[test]
fn a_release_that_was_kept_is_read_as_it_was() {
    let snomed_files = folder(&rf2());
    let release = super::read(snomed_files.path(), &Bounds::default()).unwrap();
    let mut kept = Vec::new();
    release.write(&mut kept).unwrap();
    let again = super::Release::read("kept", &mut kept.as_slice(), &Bounds::default()).unwrap();
    assert_eq!(again.contents(), release.contents());
    assert_eq!(format!("{again:?}"), format!("{release:?}"));
    let dmd_files = folder(&dictionary());
    let bounds = Bounds::default();
    let medicines = super::read(dmd_files.path(), &bounds).unwrap();
    assert_eq!(medicines.contents().len(), 2);
    let (read, total) = bounds.progress();
    assert!(read == total && total > 0, "{read} of {total}");
}

#[test]
fn a_kept_release_that_is_damaged_or_too_large_is_refused() {
    let files = folder(&rf2());
    let mut kept = Vec::new();
    super::read(files.path(), &Bounds::default())
        .unwrap()
        .write(&mut kept)
        .unwrap();
    let read = |bytes: &[u8], bounds: &Bounds| {
        let read = super::Release::read("kept", &mut &*bytes, bounds);
        read.map(|release| release.contents())
    };
    let whole = format!("{:?}", read(&kept, &Bounds::default()));
    for at in 0..kept.len() {
        let mut damaged = kept.clone();
        damaged[at] ^= 0x10;
        // What is not noticed changes nothing.
        let found = read(&damaged, &Bounds::default());
        assert!(found.is_err() || format!("{found:?}") == whole, "byte {at}");
        assert!(read(&kept[..at], &Bounds::default()).is_err(), "cut at {at}");
    }
    let bounds = Bounds {
        bytes: 100,
        ..Bounds::default()
    };
    assert!(matches!(read(&kept, &bounds), Err(ReleaseError::TooLarge(_))));
}

#[test]
fn a_folder_that_is_no_release_is_refused() {
    let files = folder(&[("readme.txt".to_owned(), "x".to_owned())]);
    let refused = super::read(files.path(), &Bounds::default());
    assert!(matches!(refused, Err(ReleaseError::Incomplete(_))));
}
