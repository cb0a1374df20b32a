use std::cell::RefCell;
use std::future;
use std::rc::Rc;

use futures::channel::oneshot;

use super::StoreError;

/// Whether what was opened is still open, and who waits for its end.
#[derive(Clone, Default)]
pub(super) struct Session(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    ended: Option<StoreError>,
    waiting: Vec<oneshot::Sender<StoreError>>,
}

impl Session {
    /// Ends the session; only the first reason counts.
    pub fn end(&self, reason: StoreError) {
        let mut state = self.0.borrow_mut();
        let reason = state.ended.get_or_insert(reason).clone();
        for waiting in state.waiting.drain(..) {
            // Whoever waited may have gone.
            let _ = waiting.send(reason.clone());
        }
    }

    pub fn check(&self) -> Result<(), StoreError> {
        self.0.borrow().ended.clone().map_or(Ok(()), Err)
    }

    /// Why the session ended, once it has.
    pub async fn ended(&self) -> StoreError {
        let receiver = {
            let mut state = self.0.borrow_mut();
            if let Some(reason) = &state.ended {
                return reason.clone();
            }
            let (sender, receiver) = oneshot::channel();
            state.waiting.push(sender);
            receiver
        };
        match receiver.await {
            Ok(reason) => reason,
            // The sender is kept as long as the session, so this is never reached.
            Err(_) => future::pending().await,
        }
    }
}
