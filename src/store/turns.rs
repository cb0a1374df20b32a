use std::cell::RefCell;
use std::future::Future;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::{LocalBoxFuture, Shared};

/// Lets one at a time go on, in the order in which they came.
#[derive(Default)]
pub(super) struct Turns(RefCell<Option<Shared<LocalBoxFuture<'static, ()>>>>);

/// Whose turn it is, until this is dropped.
pub(super) struct Turn(
    #[expect(dead_code, reason = "to drop it is what counts")] oneshot::Sender<()>,
);

impl Turns {
    /// Waits until all who came before have had their turn, counted from this call on.
    pub fn next(&self) -> impl Future<Output = Turn> + use<> {
        let (sender, receiver) = oneshot::channel();
        let before = self.0.take();
        let done = {
            let before = before.clone();
            async move {
                // Also if this one leaves before its turn comes.
                if let Some(before) = before {
                    before.await;
                }
                let _ = receiver.await;
            }
        };
        self.0.replace(Some(done.boxed_local().shared()));
        async move {
            let turn = Turn(sender);
            if let Some(before) = before {
                before.await;
            }
            turn
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_the_order_in_which_they_were_asked_for_whoever_leaves() {
        let turns = Turns::default();
        let mut waiting =
            [turns.next(), turns.next(), turns.next()].map(|it| Some(it.boxed_local()));
        let mut try_turn = |index: usize| waiting[index].as_mut().unwrap().now_or_never();
        assert!(try_turn(2).is_none());
        assert!(try_turn(1).is_none());
        let first = try_turn(0);
        assert!(first.is_some());
        waiting[1] = None;
        let mut third = waiting[2].take().unwrap();
        assert!(third.as_mut().now_or_never().is_none());
        drop(first);
        assert!(third.now_or_never().is_some());
    }
}
