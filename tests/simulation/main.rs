//! The hub, its tabs and ShareDB's server on one virtual clock, with links that fail.
//!
//! Every run is drawn from a seed. `TABMUX_SEED=n` runs one seed alone and prints what happened;
//! `TABMUX_SOAK=n` lives through n times as many.

mod chaos;
mod client;
mod damage;
mod disk;
mod ledger;
mod party;
mod presence;
mod queries;
mod rest;
mod server;
#[allow(dead_code)] // Each test program uses a part of it.
#[path = "../support/mod.rs"]
mod support;
mod tab;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chaos::{EDITS, Life};
use mimalloc::MiMalloc;
use world::World;

/// A run allocates all the time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How much of a failed run is printed.
const TAIL: usize = 120;

/// After how many seeds that fail a run gives up.
const FAILURES: usize = 10;

#[test]
fn i1_convergence_i3_exactly_once_i4_order_over_faulty_links() {
    run_seeds(1500, EDITS);
}

#[test]
fn i1_i2_when_documents_are_created_and_deleted() {
    run_seeds(500, Life { creations: true, ..EDITS });
}

#[test]
fn i1_i2_when_the_server_refuses_ops() {
    run_seeds(500, Life { refusals: true, ..EDITS });
}

#[test]
fn f18_ops_are_refused_while_their_document_is_deleted_and_created_anew() {
    run_seeds(500, Life { creations: true, refusals: true, ..EDITS });
}

#[test]
fn f6_hubs_are_replaced_by_hubs_without_memory() {
    run_seeds(400, Life { restarts: true, ..EDITS });
}

#[test]
fn queries_find_what_the_server_finds_and_are_shared() {
    run_seeds(500, Life { queries: true, creations: true, ..EDITS });
}

#[test]
fn presence_is_seen_by_all_others_and_goes_with_its_tab() {
    run_seeds(500, Life { presence: true, ..EDITS });
}

#[test]
fn i1_i2_when_everything_happens_at_once() {
    let (creations, refusals, restarts) = (true, true, true);
    let (queries, presence) = (true, true);
    run_seeds(600, Life { creations, refusals, restarts, queries, presence, ..EDITS });
}

#[test]
fn d1_d2_d3_i1_to_i4_when_the_hub_crashes_at_any_time() {
    run_seeds(5000, Life { crashes: true, ..EDITS });
}

#[test]
fn d1_d2_d3_when_documents_are_created_and_deleted_and_the_hub_crashes() {
    run_seeds(3000, Life { crashes: true, creations: true, ..EDITS });
}

#[test]
fn d1_d2_d3_when_the_server_refuses_ops_and_the_hub_crashes() {
    run_seeds(2000, Life { crashes: true, refusals: true, ..EDITS });
}

#[test]
fn d1_d2_d3_when_tabs_ask_queries_and_the_hub_crashes() {
    run_seeds(2000, Life { crashes: true, creations: true, queries: true, ..EDITS });
}

#[test]
fn d1_d2_d3_when_everything_happens_at_once_and_the_hub_crashes() {
    let (creations, refusals, queries, presence, crashes) = (true, true, true, true, true);
    run_seeds(2000, Life { creations, refusals, queries, presence, crashes, ..EDITS });
}

#[test]
fn d1_d2_d3_when_some_documents_are_not_kept_and_the_hub_crashes() {
    let (keeps_some, creations, refusals, queries) = (true, true, true, true);
    run_seeds(1500, Life { crashes: true, keeps_some, creations, refusals, queries, ..EDITS });
}

#[test]
fn f15_records_are_damaged_as_the_hub_crashes() {
    run_seeds(1500, Life { crashes: true, damage: true, ..EDITS });
}

#[test]
fn f15_records_are_damaged_while_everything_happens_at_once() {
    let (creations, refusals, queries, presence) = (true, true, true, true);
    let (crashes, keeps_some, damage) = (true, true, true);
    run_seeds(
        1500,
        Life { crashes, keeps_some, damage, creations, refusals, queries, presence, ..EDITS },
    );
}

#[test]
fn f15_what_the_disk_refuses_is_written_later() {
    run_seeds(1000, Life { refusing_disk: true, creations: true, ..EDITS });
}

/// While the disk refuses to write, a hub is as one without a store: what it does ends with it, so
/// that the tabs' ops may be answered with the loss of the hub (I2), and D2 holds only for what
/// others said. After a second it sends ops although it can't write down that it does, so that these
/// may be committed twice (I3) if it crashes then. All else holds: I1, I2, I4 and L1, and I3 and D2
/// for the hubs whose disk had room again before they crashed.
#[test]
fn f15_a_hub_crashes_while_the_disk_refuses_to_write() {
    run_seeds(500, Life { refusing_disk: true, crashes: true, ..EDITS });
}

fn run_seeds(count: u64, life: Life) {
    if let Some(seed) = std::env::var("TABMUX_SEED").ok().and_then(|seed| seed.parse().ok()) {
        let (trace, failure) = run(seed, life, true);
        println!("{}", trace.join("\n"));
        assert_eq!(failure, None, "seed {seed}");
        return;
    }
    let count = count * std::env::var("TABMUX_SOAK").map_or(1, |x| x.parse::<u64>().unwrap());
    let next = AtomicU64::new(0);
    let failed = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while failed.lock().unwrap().len() < FAILURES {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= count {
                        return;
                    }
                    if run(seed, life, false).1.is_some() {
                        println!("TABMUX_SEED={seed} fails");
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    if let Some(&seed) = failed.first() {
        let (trace, failure) = run(seed, life, true);
        println!("{}", trace[trace.len().saturating_sub(TAIL)..].join("\n"));
        panic!(
            "TABMUX_SEED={seed} fails: {}; seeds that fail: {failed:?}",
            failure.unwrap_or_default()
        );
    }
}

/// Runs one seed. Returns what happened, if that is wanted, and why it failed, if it did.
fn run(seed: u64, life: Life, trace: bool) -> (Vec<String>, Option<String>) {
    let mut world = World::new(seed, chaos::setup(seed), trace);
    let result = catch_unwind(AssertUnwindSafe(|| chaos::live(&mut world, life)));
    let failure = result.err().map(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    });
    (world.common.trace.lines, failure)
}
