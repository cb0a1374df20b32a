//! What happens to one document costs the same however many others the hub holds.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::stage::{Stage, doc};

/// The first tab holds so many documents, and the second the one that is edited.
fn open(stage: &mut Stage, docs: usize) {
    for at in 0..docs {
        let id = doc(&at.to_string());
        stage.seed(&id, "");
        stage.subscribe(0, &id);
    }
    stage.subscribe(1, &doc("0"));
}

fn time_of_ops(stage: &mut Stage) -> Duration {
    let start = Instant::now();
    for _ in 0..20 {
        stage.edit(0, &doc("0"), json!(["x"]));
    }
    start.elapsed()
}

fn assert_costs_the_same(new_stage: impl Fn() -> Stage) {
    let mut stages = [new_stage(), new_stage()];
    open(&mut stages[0], 10);
    open(&mut stages[1], 2000);
    // What else the machine does slows some rounds down: the fastest counts.
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..15 {
        for (stage, fastest) in stages.iter_mut().zip(&mut fastest) {
            *fastest = time_of_ops(stage).min(*fastest);
        }
    }
    let [few, many] = fastest;
    assert!(many < 3 * few, "20 ops: {few:?} with 10 documents, {many:?} with 2000");
}

#[test]
fn an_op_costs_the_same_however_many_documents_there_are() {
    assert_costs_the_same(|| Stage::new(2));
}

#[test]
fn an_op_costs_the_same_however_many_documents_are_stored() {
    assert_costs_the_same(|| Stage::with_store(2));
}
