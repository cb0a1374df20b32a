use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::mem;
use std::rc::Rc;

use futures::channel::oneshot;

/// Lets one at a time go on, in the order in which they came.
#[derive(Default)]
pub(super) struct Turns(Rc<RefCell<Queue>>);

#[derive(Default)]
struct Queue {
    is_taken: bool,
    waiting: VecDeque<oneshot::Sender<Turn>>,
}

/// Whose turn it is, until this is dropped.
pub(super) struct Turn(Rc<RefCell<Queue>>);

impl Turns {
    /// Waits until all who came before have had their turn, counted from this call on.
    pub fn next(&self) -> impl Future<Output = Turn> + use<> {
        let (sender, receiver) = oneshot::channel();
        let mut queue = self.0.borrow_mut();
        queue.waiting.push_back(sender);
        let is_first = !mem::replace(&mut queue.is_taken, true);
        drop(queue);
        if is_first {
            drop(Turn(Rc::clone(&self.0)));
        }
        async move { receiver.await.expect("whoever has the turn passes it on") }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.0.borrow_mut();
        let next = queue.waiting.pop_front();
        queue.is_taken = next.is_some();
        drop(queue);
        if let Some(next) = next {
            // One that has left drops the turn, or never takes it.
            drop(next.send(Turn(Rc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

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
