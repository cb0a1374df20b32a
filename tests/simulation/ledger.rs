//! What was submitted, what became of it, and what the server's log must show for it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tabmux::ot::{Op, Origin, Token};
use tabmux::protocol::DocId;
use tabmux::{Error, codes};

use super::server::Server;
use crate::support::{FIRST_MARKER, markers};

/// What ops are answered that an earlier hub had, and of which the store says nothing.
pub const UNKNOWN: [&str; 3] =
    [codes::HUB_LOST, "ERR_PENDING_OP_REMOVED_BY_OP_SUBMIT_REJECTED", "ERR_TEST_DROPPED_BY_LOAD"];

/// One call of `submitOp`, `create` or `del`.
pub struct Submission {
    pub by: String,
    pub doc: DocId,
    /// What its callback was given, each time it was called.
    pub answers: Vec<Option<Error>>,
    marked: bool,
    /// It creates its document.
    creates: bool,
    /// The epochs of the hubs that told its tab that it has its place, which nothing may undo.
    durable: BTreeSet<u64>,
    /// Its number among those of its tab, once it has its place.
    op_id: Option<u64>,
    /// Its tab has left it to others.
    left: bool,
    /// When records of its document were damaged, it was there: it may be lost with them.
    damaged: bool,
}

#[derive(Default)]
pub struct Ledger {
    submissions: Vec<Submission>,
    /// The epochs of hubs that crashed while they could not write: what they said ended with them.
    unwritten: BTreeSet<u64>,
    /// The markers of ops that such a hub sent without having written down that it does: the next
    /// hub may send them again.
    unrecorded: BTreeSet<char>,
    /// The markers of ops that some tab was told are lost.
    lost: BTreeSet<char>,
    /// The documents that had damaged records.
    damaged: BTreeSet<DocId>,
    /// The documents that the hub has evicted from the store.
    evicted: BTreeSet<DocId>,
    /// The markers in records that were damaged: nobody can tell these.
    unreadable: BTreeSet<char>,
    /// The documents that the hub has found damaged, and has told no tab.
    pub untold: BTreeSet<DocId>,
    /// The ops that the hub was told are refused, by tab and number.
    refused: BTreeSet<(String, u64)>,
}

impl Ledger {
    /// Notes a submission: its token, and the marker that its op carries if `marked`.
    pub fn submit(&mut self, by: &str, doc: &DocId, marked: bool) -> (Token, char) {
        let token = self.submissions.len() as u32;
        let (by, doc, answers) = (by.to_owned(), doc.clone(), Vec::new());
        let durable = BTreeSet::new();
        let op_id = None;
        self.submissions.push(Submission {
            by,
            doc,
            answers,
            marked,
            creates: false,
            durable,
            op_id,
            left: false,
            damaged: false,
        });
        (Token::from(token), marker(token))
    }

    /// The op creates its document.
    pub fn creates(&mut self, token: Token) {
        self.submissions[token as usize].creates = true;
    }

    pub fn answer(&mut self, token: Token, error: Option<&Error>) {
        self.submissions[token as usize].answers.push(error.cloned());
    }

    /// A hub of this epoch says that the op has its place.
    pub fn durable(&mut self, token: Token, op_id: u64, epoch: u64) {
        let submission = &mut self.submissions[token as usize];
        submission.op_id = Some(op_id);
        submission.durable.insert(epoch);
    }

    /// Its tab has ended, and left it to others.
    pub fn leave(&mut self, token: Token, op_id: u64) {
        let submission = &mut self.submissions[token as usize];
        (submission.op_id, submission.left) = (Some(op_id), true);
    }

    /// The hub was told that the server does not have this op.
    pub fn refuse(&mut self, origin: &Origin) {
        self.refused.insert((origin.tab.clone(), origin.op_id));
    }

    /// A hub has crashed while it could not write; since it can't, it has sent these ops.
    pub fn lose_unwritten(&mut self, epoch: u64, sent: &[Op]) {
        self.unwritten.insert(epoch);
        self.unrecorded.extend(sent.iter().flat_map(markers_of));
    }

    /// A tab was told by `store:lost` that these ops could not be kept.
    pub fn lose(&mut self, detail: &Value) {
        self.lost.extend(markers(detail));
    }

    /// A record of the document was damaged, which had these markers.
    pub fn damage(&mut self, doc: &DocId, unreadable: &[char]) {
        self.damaged.insert(doc.clone());
        self.unreadable.extend(unreadable);
        let of_doc = self.submissions.iter_mut().filter(|submission| submission.doc == *doc);
        of_doc.for_each(|submission| submission.damaged = true);
    }

    /// A hub has read damaged records of the document.
    pub fn must_be_told(&mut self, doc: &DocId) {
        self.untold.insert(doc.clone());
    }

    /// A tab was told by `store:error` that something is wrong with the store.
    pub fn tell_error(&mut self, detail: &Value) {
        if detail["code"] == codes::STORE_DAMAGED {
            let doc = doc_of(detail);
            assert!(self.damaged.contains(&doc), "{doc} was never damaged: {detail}");
            self.untold.remove(&doc);
        }
    }

    /// D2: what a tab was told is committed in the end, whatever became of the tab, unless the server
    /// refused it, or the record of it was damaged. That its document was deleted or created by others
    /// is no excuse: ShareDB's client drops such an op with an error, never silently. Deletions have
    /// no marker, so nothing is said of them. `is_kept`: the store has the document.
    ///
    /// `store:lost` is told only of an op that has no place, or whose document was damaged since.
    pub fn check_durable(&self, server: &Server, is_kept: impl Fn(&DocId) -> bool) {
        let logs = server.docs().flat_map(|(_, doc)| &doc.log);
        let committed: BTreeSet<char> = logs.flat_map(|entry| markers_of(&entry.op)).collect();
        let rejected: BTreeSet<char> = server.rejected.iter().flat_map(markers_of).collect();
        for (token, submission) in self.submissions.iter().enumerate() {
            let Submission { by, doc, marked, durable, answers, op_id, left, damaged, .. } =
                submission;
            let marker = marker(token as u32);
            let origin = op_id.map(|op_id| (by.clone(), op_id));
            let is_refused = origin.is_some_and(|origin| self.refused.contains(&origin))
                || rejected.contains(&marker);
            let has_place = is_kept(doc) && !durable.is_subset(&self.unwritten);
            let is_lost = self.lost.contains(&marker);
            assert!(
                !is_lost || !has_place || is_refused || *damaged,
                "D2: op {token} of {by} on {doc} has its place, and was told as lost"
            );
            assert!(
                !marked
                    || !(has_place || (*left && is_kept(doc)))
                    || is_refused
                    || is_lost
                    || answers.iter().any(Option::is_some)
                    || committed.contains(&marker)
                    || self.unreadable.contains(&marker),
                "D2: op {token} of {by} on {doc} was durable, or left to others, and nobody knows \
                 what became of it"
            );
        }
        assert!(self.untold.is_empty(), "nobody was told that {:?} are damaged", self.untold);
    }

    /// A tab was told by `store:evicted` which documents the store has no more.
    pub fn evict(&mut self, detail: &Value) {
        let docs = detail.as_array().into_iter().flatten();
        self.evicted.extend(docs.map(doc_of));
    }

    /// Whether the store may have lost what it had of the document: records were damaged, or evicted.
    pub fn was_forgotten(&self, doc: &DocId) -> bool {
        self.damaged.contains(doc) || self.evicted.contains(doc)
    }

    pub fn get(&self, token: Token) -> &Submission {
        &self.submissions[token as usize]
    }

    /// I2: each submission was answered exactly once, and with no error but those expected, or those
    /// of ops that the next hub does not know, if the store may not have had the document. Those of
    /// parties that are gone may have no answer.
    pub fn check_answers(
        &self,
        gone: &[String],
        expected: &[&str],
        is_stored: impl Fn(&DocId) -> bool,
    ) {
        for (token, submission) in self.submissions.iter().enumerate() {
            let Submission { by, doc, answers, .. } = submission;
            let least = usize::from(!gone.contains(by));
            assert!(
                (least..=1).contains(&answers.len()),
                "I2: op {token} of {by} on {doc} has the answers {answers:?}"
            );
            for error in answers.iter().flatten() {
                let code = error.code_text().unwrap_or_default();
                assert!(
                    expected.contains(&code.as_str())
                        || (UNKNOWN.contains(&code.as_str()) && !is_stored(doc)),
                    "I2: op {token} of {by} on {doc} was answered with {error:?}"
                );
            }
        }
    }

    /// I3 and I4: the marker of each submission is in the server's log once, if it was answered
    /// without an error, and not at all, if it was answered with one; and those of one party are in
    /// order there.
    ///
    /// Of an op that the server rejected with `ERR_OP_SUBMIT_REJECTED`, ShareDB's client gives no
    /// error; some it takes for refused that were committed; of one whose hub was lost, nobody knows.
    /// A creation that the store has nothing of is sent again, with what its tab did after it: the
    /// server refuses that, or commits it once more if the document was deleted meanwhile.
    pub fn check_log(&self, server: &Server, is_stored: impl Fn(&DocId) -> bool) {
        let creations = self.submissions.iter().filter(|submission| submission.creates);
        let creators: BTreeSet<(&String, &DocId)> =
            creations.map(|submission| (&submission.by, &submission.doc)).collect();
        let is_sent_again = |Submission { by, doc, .. }: &Submission| {
            !is_stored(doc) && creators.contains(&(by, doc))
        };
        let mut twice: BTreeSet<char> = server.created_twice.iter().flat_map(markers_of).collect();
        twice.extend(&self.unrecorded);
        let mut seen: BTreeMap<char, u64> = BTreeMap::new();
        for (doc, log) in server.docs() {
            let mut last: BTreeMap<&str, u32> = BTreeMap::new();
            for committed in &log.log {
                let mut found = markers_of(&committed.op);
                found.sort();
                for marker in found {
                    let token = u32::from(marker) - FIRST_MARKER;
                    let submission = self.get(Token::from(token));
                    let (by, version) = (&submission.by, committed.version);
                    assert_eq!(&submission.doc, doc, "op {token} was committed elsewhere");
                    let before = seen.insert(marker, version);
                    if twice.contains(&marker) || is_sent_again(submission) {
                        continue;
                    }
                    assert_eq!(
                        before, None,
                        "I3: op {token} of {by} is in {doc} twice, at {version}"
                    );
                    let last = last.entry(by).or_insert(token);
                    assert!(*last <= token, "I4: op {token} of {by} came after {last} in {doc}");
                    *last = token;
                }
            }
        }
        let rejected: BTreeSet<char> = server.rejected.iter().flat_map(markers_of).collect();
        let misjudged: BTreeSet<char> = server.misjudged.iter().flat_map(markers_of).collect();
        for (token, submission) in self.submissions.iter().enumerate() {
            let Submission { by, doc, answers, marked, .. } = submission;
            let marker = marker(token as u32);
            match &answers[..] {
                [None] if *marked => assert!(
                    seen.contains_key(&marker) || rejected.contains(&marker),
                    "I2: op {token} of {by} on {doc} is not in the server's log"
                ),
                [Some(error)] if error.code_text().as_deref() != Some(codes::HUB_LOST) => assert!(
                    !seen.contains_key(&marker)
                        || misjudged.contains(&marker)
                        || is_sent_again(submission),
                    "I2: op {token} of {by} on {doc} was committed, but answered with {error:?}"
                ),
                _ => {}
            }
        }
    }
}

/// The document that an event of the store is about.
fn doc_of(detail: &Value) -> DocId {
    let member = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
    DocId::new(member("collection"), member("id"))
}

fn markers_of(op: &Op) -> Vec<char> {
    match op {
        Op::Edit(op) => markers(&op.0),
        Op::Create(create) => create.data.iter().flat_map(|data| markers(&data.0)).collect(),
        Op::Del | Op::NoOp => Vec::new(),
    }
}

fn marker(token: u32) -> char {
    char::from_u32(FIRST_MARKER + token).expect("there are enough characters")
}
