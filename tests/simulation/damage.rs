//! Records of the store that are damaged while no hub looks.

use futures::executor::block_on;
use rand::RngExt;
use tabmux::store::{Durability, RecordKey, Store, Write};

use super::disk::Disk;
use super::tab::Common;
use crate::support::markers_in;

impl Disk {
    /// A record of some document is damaged.
    pub(super) fn damage(&mut self, common: &mut Common) {
        let docs = self.documents();
        if docs.is_empty() {
            return;
        }
        let doc = docs[common.rng.random_range(0..docs.len())].clone();
        let epoch = self.opened.epoch;
        let stored = block_on(self.store.read(epoch, &doc)).expect("it is open");
        let first = stored.next - stored.log.len() as u64;
        let checkpoint = stored.checkpoint.map(|bytes| (RecordKey::Checkpoint, bytes));
        let log = (first..).map(RecordKey::Entry).zip(stored.log);
        let records: Vec<(RecordKey, Vec<u8>)> = checkpoint.into_iter().chain(log).collect();
        if records.is_empty() {
            return;
        }
        // The newest are those that were written as the hub crashed.
        let at = match common.rng.random_bool(0.5) {
            true => records.len() - 1,
            false => common.rng.random_range(0..records.len()),
        };
        let (record, bytes) = &records[at];
        let place: usize = common.rng.random_range(0..bytes.len());
        let bit = 1 << common.rng.random_range(0..8);
        let how = match common.rng.random_range(0..5) {
            0 => {
                self.disk.corrupt(&doc, *record, |bytes| bytes[place] ^= bit);
                "another bit"
            }
            1 => {
                self.disk.corrupt(&doc, *record, |bytes| bytes.truncate(place));
                "the end cut off"
            }
            2 => {
                self.disk.corrupt(&doc, *record, |bytes| bytes[0] = 2);
                "a newer format"
            }
            3 if stored.damage.is_none() => {
                // The end of the log: newer code has written there, and is gone.
                let (n, record) = (stored.next, NEWER.to_vec());
                let write = Write::Append { doc: doc.clone(), n, record, pending: true };
                let written = block_on(self.store.commit(epoch, &[write], Durability::Relaxed));
                written.expect("it is open");
                "an entry of newer code after it"
            }
            _ => {
                self.disk.lose(&doc, *record);
                "gone"
            }
        };
        common.trace(|| format!("{record} of {doc} has {how}"));
        common.ledger.damage(&doc, &markers_in(bytes));
        self.damaged.insert(doc);
    }
}

/// A record of a kind that is not known, as CBOR: `{"Newer": {}}`.
const NEWER: &[u8] = b"\xa1\x65Newer\xa0";
