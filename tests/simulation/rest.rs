//! What must hold when nobody does anything any more.

use std::collections::{BTreeMap, BTreeSet};

use tabmux::codes;
use tabmux::protocol::DocId;
use tabmux::tab::TabEvent;

use super::chaos::{CHANNELS, FOUND_FROM, Life};
use super::disk::Disk;
use super::presence::Presences;
use super::world::{LINGER, World, is_kept};

/// Ends all disturbances, and lets everyone hear of everything.
pub fn come_to_rest(world: &mut World, docs: &[DocId]) {
    world.calm_down();
    if world.disk.is_some() && world.tab_count() == 0 {
        // A hub that nobody came to has no connection, and its store may have ops.
        world.add_tab();
    }
    world.settle();
    // A hub whose store fails just then refuses them once.
    for _ in 0..2 {
        for left in 0..world.common.left.len() {
            world.tab(0, |tab, common| tab.pass_on(left, common));
        }
        world.settle();
    }
    for at in 0..world.tab_count() {
        // What watches over the hub has noticed what the tab may not have: no frame came.
        let other_hub = world.driver(at).epoch != Some(world.epoch());
        if other_hub || world.driver(at).was_left_alone() {
            world.attach(at);
        }
        world.tab(at, |tab, common| tab.reload(common));
        for (place, doc) in docs.iter().enumerate() {
            world.tab(at, |tab, common| {
                tab.pause(doc, false, common);
                if place < FOUND_FROM {
                    tab.subscribe(doc, common);
                }
            });
        }
    }
    for doc in docs {
        world.subscribe_outside(doc);
    }
    world.settle();
    check_queries(world);
    // Who is subscribed need not ask.
    docs[..FOUND_FROM].iter().for_each(|doc| converged(world, doc));
    world.common.reentrant_edits = 0;
    // Says which revision each tab is at, so that the hub can forget the changes before; where a
    // tab is not subscribed, the first fetch brings it to the last revision.
    for docs in [&docs[FOUND_FROM..], docs] {
        for at in 0..world.tab_count() {
            for doc in docs {
                world.tab(at, |tab, common| tab.fetch(doc, common));
            }
        }
        world.settle();
    }
}

pub fn check(world: &mut World, docs: &[DocId], life: Life) {
    let mut expected = Vec::new();
    if life.creations {
        expected.extend([
            "ERR_DOC_WAS_DELETED",
            "ERR_DOC_ALREADY_CREATED",
            "ERR_DOC_DOES_NOT_EXIST",
            "ERR_DOC_IN_HARD_ROLLBACK",
        ]);
    }
    if life.refusals {
        expected.extend([
            "ERR_OP_SUBMIT_REJECTED",
            "ERR_TEST_REFUSED",
            "ERR_DOC_IN_HARD_ROLLBACK",
            "ERR_DOC_DOES_NOT_EXIST",
        ]);
    }
    if life.creations || life.refusals {
        expected.push("ERR_PENDING_OP_REMOVED_BY_OP_SUBMIT_REJECTED");
        expected.push("ERR_TEST_DROPPED_BY_LOAD");
    }
    if life.restarts {
        expected.push("ERR_TABMUX_HUB_LOST");
    }
    let is_kept = |doc: &DocId| !life.keeps_some || is_kept(doc);
    let ledger = &world.common.ledger;
    let fails_to_write = life.crashes && life.refusing_disk;
    let is_stored = |doc: &DocId| !fails_to_write && is_kept(doc) && !ledger.was_forgotten(doc);
    ledger.check_answers(&world.gone, &expected, is_stored);
    ledger.check_log(&world.server, is_stored);
    assert!(world.common.left.is_empty(), "nobody took {:?}", world.common.left);
    if life.has_store() {
        world.common.ledger.check_durable(&world.server, is_kept);
        let stored = world.disk.as_ref().map(Disk::documents).unwrap_or_default();
        assert!(stored.iter().all(is_kept), "the store has {stored:?}");
    }
    check_presence(world);
    for doc in docs {
        converged(world, doc);
    }
    for at in 0..world.tab_count() {
        let driver = world.driver(at);
        assert!(life.restarts || !driver.was_left_alone(), "L1: {} had no answer", driver.id);
        assert_eq!(driver.requests.len(), 0, "L1: requests of {} never ended", driver.id);
        for error in &driver.queries.errors {
            let code = error.code_text().unwrap_or_default();
            let refused = life.refusals && code == "ERR_TEST_REFUSED";
            let left_alone = life.restarts && driver.was_left_alone();
            let offline = life.crashes && code == codes::OFFLINE;
            assert!(
                refused || left_alone || offline,
                "{} has a query that failed: {error:?}",
                driver.id
            );
        }
        assert_eq!(driver.tab.deadline(), None, "{} waits for nothing", driver.id);
        for note in &driver.notes {
            assert!(!matches!(note, TabEvent::Fault(_)), "{}: {note:?}", driver.id);
        }
    }
    assert!(
        life.restarts || life.crashes || world.faults.is_empty(),
        "a tab sent {:?}",
        world.faults
    );
    assert_eq!(world.hub.deadline(), None, "the hub waits for nothing");
    assert_eq!(world.hub.size().1, 0, "every tab has every change, so none is kept");
}

/// I1: everyone who holds the document holds the same.
fn converged(world: &mut World, doc: &DocId) {
    if world.server.astray.contains(doc) {
        return;
    }
    let server = world.server.doc(doc);
    let (copy, version) = (server.copy.clone(), Some(server.version()));
    let clients = [("upstream", &world.upstream), ("outside", &world.outside)];
    for (name, party) in clients {
        let client = party.client.borrow();
        if client.holds(doc) {
            assert_eq!(client.copy(doc), copy, "I1: {name} and the server differ on {doc}");
            assert_eq!(client.version(doc), version, "I1: {name} and the server differ on {doc}");
        }
    }
    for at in 0..world.tab_count() {
        follows(world, at, doc);
    }
}

/// I1: the tab's copy is the server's.
fn follows(world: &mut World, at: usize, doc: &DocId) {
    if world.server.astray.contains(doc) {
        return;
    }
    let server = world.server.doc(doc);
    let (copy, version) = (server.copy.clone(), Some(server.version()));
    let driver = world.driver(at);
    let (id, held) = (&driver.id, &driver.docs[doc]);
    let replica = driver.tab.replica(held.key).expect("it is open");
    assert_eq!(replica.pending().count(), 0, "{id} has ops pending on {doc}");
    assert_eq!(held.copy, copy, "I1: {id} and the server differ on {doc}");
    assert_eq!(replica.version(), version, "I1: {id} and the server differ on {doc}");
}

/// All tabs leave: nothing of them may remain.
pub fn leave(world: &mut World) {
    for _ in 0..world.tab_count() {
        world.remove_tab(0, true, 500);
    }
    world.settle();
    world.run_for(LINGER);
    assert_eq!(world.hub.size(), (0, 0), "the hub holds no documents for nobody");
    let client = world.upstream.client.borrow();
    assert_eq!(client.size(), (0, 0), "the hub's connection holds nothing for nobody");
    let (docs, queries, channels) = world.server.subscriptions(client.src());
    assert_eq!(docs, [], "the server sends changes to nobody");
    assert!(queries.is_empty(), "the server follows {queries:?} for nobody");
    assert!(channels.is_empty(), "the server tells nobody of {channels:?}");
    drop(client);
    check_presence(world);
}

/// A hub that finds no server gives a tab what its store has: what the server had at that version.
pub fn reload_offline(world: &mut World, docs: &[DocId]) {
    world.crash_hub();
    world.disconnect_upstream(None);
    let at = world.add_tab();
    let stored = world.disk.as_ref().expect("the hub has a store").documents();
    let known = docs.iter().filter(|doc| stored.contains(doc));
    for doc in known.clone() {
        world.tab(at, |tab, common| tab.subscribe(doc, common));
    }
    world.settle();
    for doc in known.filter(|doc| !world.server.astray.contains(doc)).collect::<Vec<_>>() {
        let held = &world.driver(at).docs[doc];
        let replica = world.driver(at).tab.replica(held.key).expect("it is open");
        let version = replica.version().expect("the server has committed all there is");
        let (held, pending) = (held.copy.clone(), replica.pending().count());
        assert_eq!(pending, 0, "{doc} waits for nothing");
        assert_eq!(held, world.server.doc(doc).at(version), "{doc} at version {version}");
    }
}

/// Each query has what the server finds, its documents follow the server, and the hub asks each
/// that is subscribed once.
fn check_queries(world: &mut World) {
    let mut asked = BTreeSet::new();
    for at in 0..world.tab_count() {
        let (id, queries) = (world.driver(at).id.clone(), &world.driver(at).queries);
        for (request, query) in &queries.held {
            let (found, extra) = world.server.find(&query.spec);
            let name = format!("query {request} of {id}, {:?},", query.spec.query);
            assert_eq!(query.results, Some(found), "{name} and the server differ");
            assert_eq!(query.extra, Some(extra), "{name} and the server differ beside the results");
            if query.spec.subscribe {
                asked.insert(query.spec.query.0.to_string());
            }
        }
        for doc in queries.followed().cloned().collect::<BTreeSet<_>>() {
            follows(world, at, &doc);
        }
    }
    let src = world.upstream.client.borrow().src().to_owned();
    let (_, queries, _) = world.server.subscriptions(&src);
    let mut upstream: Vec<String> = queries.iter().map(|spec| spec.query.0.to_string()).collect();
    upstream.sort();
    assert_eq!(upstream, Vec::from_iter(asked), "the hub asks what its tabs ask, and each once");
}

/// Who listens to a channel knows what all others show there, and nothing else.
fn check_presence(world: &World) {
    let tabs = (0..world.tab_count()).map(|at| world.driver(at));
    let mut parties: Vec<(&str, &Presences)> =
        tabs.map(|tab| (tab.id.as_str(), &tab.presences)).collect();
    parties.push(("outside", &world.outside_presences));
    let src = world.upstream.client.borrow().src().to_owned();
    let (.., upstream) = world.server.subscriptions(&src);
    for channel in CHANNELS {
        let shown: BTreeMap<&str, (&str, _)> = parties
            .iter()
            .filter_map(|(name, presences)| {
                let (id, value) = presences.shown(channel)?;
                Some((id, (*name, value)))
            })
            .collect();
        for (name, presences) in &parties {
            assert!(!presences.is_pending(), "L1: presence of {name} has no answer");
            let Some(known) = presences.known(channel) else { continue };
            for (other, (_, value)) in shown.iter().filter(|(_, (owner, _))| owner != name) {
                let known = known.get(*other).map(|remote| (&remote.value, remote.outdated));
                assert_eq!(known, Some((*value, false)), "{name} sees {other} on {channel}");
            }
            for (other, remote) in known {
                let excused = remote.outdated
                    || world.server.ghosts.contains(&(channel.to_owned(), other.clone()));
                assert!(
                    excused || shown.contains_key(other.as_str()),
                    "{name} sees {other} on {channel}, who is not there: {remote:?}"
                );
            }
        }
        let listens = |(name, presences): &(&str, &Presences)| {
            *name != "outside" && presences.known(channel).is_some()
        };
        assert_eq!(
            upstream.iter().filter(|subscribed| *subscribed == channel).count(),
            usize::from(parties.iter().any(listens)),
            "the hub listens to {channel} as long as one of its tabs does"
        );
    }
}
