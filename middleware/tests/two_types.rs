//! Two ends that send messages of different types: one asks, the other answers.

use tabmux_middleware::{Environment, Message, Millis, Packet, Reply, Request, Stack, defaults};
use tabmux_transports::Guarantees;

#[derive(Clone, Debug, PartialEq)]
struct Question(u64);

impl Message for Question {}

impl Request for Question {
    fn request(&self) -> Option<u64> {
        Some(self.0)
    }
}

/// Of several answers to the same question the last counts.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    to: u64,
    text: String,
}

impl Answer {
    fn new(to: u64, text: &str) -> Self {
        Answer { to, text: text.to_owned() }
    }
}

impl Message for Answer {
    fn merge(&mut self, next: Self) -> Result<(), Self> {
        if self.to != next.to {
            return Err(next);
        }
        *self = next;
        Ok(())
    }
}

impl Reply for Answer {
    fn answers(&self) -> Option<u64> {
        Some(self.to)
    }

    fn timed_out(request: u64, after: Millis) -> Self {
        Answer::new(request, &format!("none within {after} ms"))
    }
}

fn ends() -> (Stack<Question, Answer>, Stack<Answer, Question>) {
    let lossy = Guarantees { ordered: false, reliable: false, carries: vec![], addressed: false };
    let layers = defaults(&lossy);
    let environment = Environment::new(1);
    let asks = Stack::build(&layers, &lossy, environment).expect("the defaults fit");
    let answers = Stack::counterpart(&layers, 100, &lossy, Environment::new(2))
        .expect("so do their counterparts");
    (asks, answers)
}

fn packets<Out, In>(stack: &mut Stack<Out, In>, now: Millis) -> Vec<Packet<Out>> {
    stack.wake(now);
    std::iter::from_fn(|| stack.poll_transmit()).collect()
}

#[test]
fn a_question_goes_one_way_and_its_answer_the_other() {
    let (mut asks, mut answers) = ends();
    asks.send(Question(1), 0);
    packets(&mut asks, 0).into_iter().for_each(|packet| answers.receive(packet, 1));
    assert_eq!(answers.poll_delivery(), Some(Question(1)));

    answers.send(Answer::new(1, "yes"), 1);
    packets(&mut answers, 1).into_iter().for_each(|packet| asks.receive(packet, 2));
    assert_eq!(asks.poll_delivery(), Some(Answer::new(1, "yes")));
}

#[test]
fn only_the_end_that_asks_makes_up_answers_that_do_not_come() {
    let (mut asks, mut answers) = ends();
    asks.send(Question(1), 0);
    answers.send(Answer::new(2, "yes"), 0);
    asks.wake(30_000);
    answers.wake(30_000);
    assert_eq!(asks.poll_delivery(), Some(Answer::new(1, "none within 30000 ms")));
    assert_eq!(answers.poll_delivery(), None);
}

#[test]
fn answers_that_wait_are_merged_by_the_end_that_sends_them() {
    let (_, mut answers) = ends();
    for count in 1..=300 {
        answers.send(Answer::new(1, &count.to_string()), 0);
    }
    assert_eq!(answers.untaken(), 1, "the window is full, and one waits");
}
