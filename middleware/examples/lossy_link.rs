//! Lines cross a link that loses, doubles and reorders what it carries; each arrives once, in order.
//!
//! ```sh
//! cargo run --package tabmux-middleware --example lossy_link
//! ```

use tabmux_middleware::{
    ConfigError, Environment, Message, Packet, Reply, Request, Stack, defaults,
};
use tabmux_transports::{Faults, FaultyLink, Guarantees};

#[derive(Clone, Debug, PartialEq)]
struct Line(String);

impl Message for Line {}

impl Request for Line {
    fn request(&self) -> Option<u64> {
        // Nothing is asked: no line waits for an answer.
        None
    }
}

impl Reply for Line {
    fn answers(&self) -> Option<u64> {
        None
    }

    fn timed_out(_request: u64, after: u64) -> Self {
        Line(format!("no answer within {after} ms"))
    }
}

/// One direction, and what it has carried.
struct Direction {
    link: FaultyLink<Packet<Line>>,
    packets: usize,
}

impl Direction {
    fn new(seed: u64) -> Self {
        let faults = Faults { loss: 0.3, duplication: 0.2, reordering: 0.3, delay: 5..=40 };
        Direction { link: FaultyLink::new(seed, faults), packets: 0 }
    }

    /// Sends what one end has, and gives the other what has arrived.
    fn carry(&mut self, from: &mut Stack<Line>, to: &mut Stack<Line>, now: u64) {
        from.wake(now);
        while let Some(packet) = from.poll_transmit() {
            self.link.send(now, packet);
            self.packets += 1;
        }
        for packet in self.link.receive(now) {
            to.receive(packet, now);
        }
    }
}

fn main() -> Result<(), ConfigError> {
    let lossy = Guarantees { ordered: false, reliable: false, carries: vec![], addressed: false };
    let layers = defaults(&lossy);
    let mut near: Stack<Line> = Stack::build(&layers, &lossy, Environment::new(1))?;
    let mut far: Stack<Line> = Stack::counterpart(&layers, 100, &lossy, Environment::new(2))?;
    let (mut there, mut back) = (Direction::new(3), Direction::new(4));

    const LINES: usize = 20;
    let mut arrived = Vec::new();
    let mut now = 0;
    while arrived.len() < LINES {
        if now % 10 == 0 && now / 10 < LINES as u64 {
            near.send(Line(format!("line {}", now / 10)), now);
        }
        there.carry(&mut near, &mut far, now);
        back.carry(&mut far, &mut near, now);
        while let Some(Line(line)) = far.poll_delivery() {
            println!("{now:>5} ms  {line}");
            arrived.push(line);
        }
        now += 1;
    }
    let expected: Vec<_> = (0..LINES).map(|at| format!("line {at}")).collect();
    assert_eq!(arrived, expected, "each once, in order");
    println!("{LINES} lines in {} packets, and {} back", there.packets, back.packets);
    Ok(())
}
