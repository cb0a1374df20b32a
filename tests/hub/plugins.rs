//! Codecs and layers of an application's own, at a tab's end and at the hub's.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;
use tabmux::codecs::{Codec, CodecError, Json, Limits, Value};
use tabmux::middleware::{Layer, LayerConfig, MakeLayer, Millis, Output, Packet, defaults};
use tabmux::protocol::{Layered, TabLayers};
use tabmux::tab::TabSettings;
use tabmux::transports::{Frame, FrameKind};
use tabmux::{Payload, Wire};

use crate::stage::{Stage, doc, settings};

/// JSON behind a mark.
struct Marked(char);

impl Codec for Marked {
    fn name(&self) -> &str {
        "marked"
    }

    fn frame_kind(&self) -> FrameKind {
        FrameKind::Text
    }

    fn encode(&self, value: &Value) -> Result<Frame, CodecError> {
        Ok(Frame::Text(format!("{}{value}", self.0)))
    }

    fn decode(&self, frame: Frame) -> Result<Value, CodecError> {
        let failed = || CodecError::Failed { codec: "marked".to_owned(), reason: "no".to_owned() };
        let Frame::Text(text) = frame else { return Err(failed()) };
        let text = text.strip_prefix(self.0).ok_or_else(failed)?;
        Json::new(Limits::default()).decode(Frame::Text(text.to_owned()))
    }
}

/// Wraps every message, and counts those that it has unwrapped.
struct Wrapping(Rc<Cell<usize>>);

impl<Out: Wire, In: Wire> Layer<Layered<Out>, Layered<In>> for Wrapping {
    fn name(&self) -> &str {
        "wrapping"
    }

    fn outbound(
        &mut self,
        mut packet: Packet<Layered<Out>>,
        _: Millis,
        out: &mut Output<Layered<Out>, Layered<In>>,
    ) {
        for message in &mut packet.messages {
            *message = Layered::Passed(Payload(json!([message.sent()])));
        }
        out.down.push(packet);
    }

    fn inbound(
        &mut self,
        mut packet: Packet<Layered<In>>,
        _: Millis,
        out: &mut Output<Layered<Out>, Layered<In>>,
    ) {
        for message in &mut packet.messages {
            *message = Layered::Passed(Payload(message.arrived()[0].take()));
            self.0.set(self.0.get() + 1);
        }
        out.up.push(packet);
    }
}

fn wrapping<Out: Wire + 'static, In: Wire + 'static>(
    seen: &Rc<Cell<usize>>,
) -> MakeLayer<Layered<Out>, Layered<In>> {
    let seen = Rc::clone(seen);
    Rc::new(move |_| Box::new(Wrapping(Rc::clone(&seen))))
}

/// A tab with the layer in its place.
fn wrapped(id: &str, place: usize, seen: &Rc<Cell<usize>>) -> TabSettings {
    let plain = settings(id);
    let mut layers = defaults(&plain.guarantees);
    layers.insert(place, LayerConfig::Own("wrapping".to_owned()));
    let mut own_layers = TabLayers::default();
    own_layers.add("wrapping", wrapping(seen));
    TabSettings { layers, own_layers, ..plain }
}

/// All tabs edit one text, and have it all in the end.
fn collaborate(stage: &mut Stage) {
    let id = doc("a");
    stage.seed(&id, "-");
    let tabs = stage.seats.len();
    for at in 0..tabs {
        stage.subscribe(at, &id);
    }
    for at in 0..tabs {
        stage.edit(at, &id, json!([at.to_string()]));
    }
    let text = stage.text(0, &id);
    assert_eq!(text.as_ref().map(String::len), Some(tabs + 1));
    for at in 1..tabs {
        assert_eq!(stage.text(at, &id), text);
    }
    assert_eq!(stage.faults, []);
}

#[test]
fn tabs_with_codecs_of_one_kind_are_each_answered_in_their_own() {
    let mut stage = Stage::new(1);
    stage.hub.add_codec(Rc::new(Marked('!')));
    stage.join(TabSettings { codec: Rc::new(Marked('!')), ..settings("marked") });
    stage.join(settings("later"));
    assert!(stage.seats.iter().all(|seat| seat.tab.is_joined()));
    collaborate(&mut stage);
}

#[test]
fn a_frame_that_no_codec_reads_is_a_fault() {
    let mut stage = Stage::new(0);
    stage.hub.add_codec(Rc::new(Marked('!')));
    let at = stage.join(TabSettings { codec: Rc::new(Marked('?')), ..settings("marked") });
    assert!(!stage.seats[at].tab.is_joined());
    assert_eq!(stage.faults.len(), 1);
    assert!(stage.faults[0].message.contains("the json codec can't read the frame"));
}

#[test]
fn a_layer_at_both_ends_changes_what_goes_between_them() {
    for place in 1..=3 {
        let (of_tab, of_hub) = (Rc::default(), Rc::default());
        let mut stage = Stage::new(1);
        stage.hub.add_layer("wrapping", wrapping(&of_hub));
        stage.join(wrapped("wrapped", place, &of_tab));
        collaborate(&mut stage);
        assert!(of_tab.get() > 0 && of_hub.get() > 0);
    }
}

#[test]
fn a_layer_that_changes_messages_needs_its_counterpart_at_the_hub() {
    let mut stage = Stage::new(0);
    let at = stage.join(wrapped("wrapped", 1, &Rc::default()));
    assert!(!stage.seats[at].tab.is_joined());
    assert!(stage.faults[0].message.starts_with("what the layers passed on is no message: "));
}
