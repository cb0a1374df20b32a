use futures::Stream;
use futures::channel::mpsc;

use crate::{Event, Transport};

/// The events of a transport as a stream, which ends after [`Event::Closed`].
///
/// It takes the place of the transport's handler. Dropping it does not close the transport; what
/// arrives from then on is lost.
pub fn events(transport: &dyn Transport) -> impl Stream<Item = Event> + use<> {
    let (sender, receiver) = mpsc::unbounded();
    transport.listen(Box::new(move |event| {
        let last = matches!(event, Event::Closed(_));
        // This fails only when nobody reads the stream any more.
        let _ = sender.unbounded_send(event);
        if last {
            sender.close_channel();
        }
    }));
    receiver
}
