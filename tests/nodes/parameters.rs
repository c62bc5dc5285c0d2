//! A SearchParameter that is stored while clients write and search.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::client::Client;
use crate::{Nodes, rounds, total};

/// A SearchParameter for what patients are called by.
fn nickname() -> Value {
    json!({
        "resourceType": "SearchParameter", "id": "nickname", "url": "http://example.org/nickname", "name": "nickname",
        "status": "active", "description": "Nicknames", "code": "nickname", "base": ["Patient"], "type": "string",
        "expression": "Patient.name.where(use = 'nickname').given"
    })
}

/// until the parameter is indexed it is refused as such, and from then on no resource is missing, whichever node wrote it.
#[test]
fn a_parameter_stored_on_one_node_is_answered_rightly_by_all_while_both_write() {
    let before = rounds(400, 4_000);
    for nodes in Nodes::each() {
        let written = AtomicUsize::new(0);
        let write = |client: &mut Client| {
            let body = json!({"resourceType": "Patient", "name": [{"use": "nickname", "given": ["Bunny"]}]});
            assert_eq!(
                client
                    .send(
                        "POST",
                        "/Patient",
                        "Prefer: return=minimal\r\n",
                        &body.to_string()
                    )
                    .status,
                201
            );
            written.fetch_add(1, Ordering::SeqCst);
        };
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (nodes, write, over, written) = (&nodes, &write, &over, &written);
            let filled: Vec<_> = (0..4)
                .map(|n| {
                    scope.spawn(move || {
                        let mut client = nodes.client(n);
                        (0..before / 4).for_each(|_| write(&mut client));
                    })
                })
                .collect();
            filled.into_iter().for_each(|one| one.join().unwrap());
            for n in 0..2 {
                scope.spawn(move || {
                    let mut client = nodes.client(n);
                    while !over.load(Ordering::SeqCst) {
                        write(&mut client);
                    }
                });
            }
            let put = nodes
                .client(0)
                .send("PUT", "/SearchParameter/nickname", "", &nickname().to_string());
            // The writers must not go on for ever where this fails.
            over.store(put.status != 201, Ordering::SeqCst);
            assert_eq!(put.status, 201, "{}", put.body);
            let askers: Vec<_> = (0..2)
                .map(|n| scope.spawn(move || answered(&mut nodes.client(n), written)))
                .collect();
            let asked: Vec<_> = askers
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect();
            over.store(true, Ordering::SeqCst);
            for refused in asked {
                println!(
                    "{}: refused {} times before it was indexed",
                    nodes.name(),
                    refused.unwrap()
                );
            }
        });
        for n in 0..nodes.servers.len() {
            let found = total(&mut nodes.client(n), "Patient?nickname=bunny");
            assert_eq!(found, written.load(Ordering::SeqCst) as u64, "{}", nodes.name());
        }
    }
}

/// Asks until the parameter is answered and a while longer; how often it was refused before.
fn answered(client: &mut Client, written: &AtomicUsize) -> usize {
    let (mut refused, mut right) = (0, 0);
    let start = std::time::Instant::now();
    while right < 50 {
        assert!(
            start.elapsed().as_secs() < 120,
            "it is not indexed after {:?}",
            start.elapsed()
        );
        let at_least = written.load(Ordering::SeqCst) as u64;
        let reply = client.send(
            "GET",
            "/Patient?nickname=bunny&_summary=count",
            "Prefer: handling=strict\r\n",
            "",
        );
        match reply.status {
            200 => {
                let found = reply.json()["total"].as_u64().unwrap();
                assert!(found >= at_least, "{found} of {at_least} at least");
                right += 1;
            }
            400 => {
                assert!(reply.body.contains("index"), "{}", reply.body);
                assert_eq!(right, 0, "it was answered before: {}", reply.body);
                refused += 1;
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            other => panic!("{other}: {}", reply.body),
        }
    }
    refused
}
