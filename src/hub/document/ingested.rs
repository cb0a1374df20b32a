//! States that applications had by other means than from the hub.

use super::{Context, Document};
use crate::error::Error;
use crate::hub::Head;
use crate::protocol::*;

impl Document {
    /// The tab has a state of this version, which the upstream document may have taken. Ops it makes
    /// on it wait until it has the changes that lead from there to the hub's state.
    pub fn ingested(
        &mut self,
        tab: &str,
        version: Option<u64>,
        taken: Option<Head>,
        cx: &mut Context<'_>,
    ) {
        self.holder(tab).ingest(version);
        if taken.is_some() {
            self.set_head(taken);
            self.loaded(cx);
        }
        self.lead_on(tab, &[], cx);
    }

    /// The server has said what came since this version.
    pub fn told_since(
        &mut self,
        version: u64,
        ops: &Result<Vec<Change>, Error>,
        cx: &mut Context<'_>,
    ) {
        for tab in self.holders.which(|_, holder| holder.ingested() == Some(version)) {
            match ops {
                Ok(ops) => self.lead_on(&tab, ops, cx),
                Err(_) => self.replace_ingested(&tab, cx),
            }
        }
    }

    /// Leads the tab from the state that it has ingested to the document's, by these ops of the
    /// server and those that are not committed. If that takes more ops, the server is asked.
    fn lead_on(&mut self, tab: &str, ops: &[Change], cx: &mut Context<'_>) {
        let version = cx.upstream.snapshot(&self.id).version;
        let (Some(from), Some(version)) = (self.holder(tab).ingested(), version) else {
            return self.replace_ingested(tab, cx);
        };
        let Some(ops) = version.checked_sub(from).and_then(|count| ops.get(..count as usize))
        else {
            if self.holder(tab).ask_since(version) {
                return cx.upstream.fetch_since(&self.id, from);
            }
            return self.replace_ingested(tab, cx);
        };
        let uncommitted = cx.upstream.pending(&self.id).into_iter().map(|pending| {
            let src = pending.origins.first().map(|origin| origin.tab.clone());
            Change { op: pending.op, version: Some(version), src }
        });
        let since = ops.iter().cloned().chain(uncommitted).collect();
        self.holder(tab).end_ingest();
        self.send_state(tab, Some(since), cx);
    }

    /// Nobody knows what leads there: the tab gets the document's state.
    fn replace_ingested(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.holder(tab).end_ingest();
        self.bring_up_to_date(tab, cx);
    }
}
