//! What passes between tabs and the server in ShareDB's own protocol.

use tabmux_middleware::Millis;

use super::context::Context;
use crate::error::{Error, codes};
use crate::platform::Payload;

mod head;
mod presence;
mod requests;

use head::Head;
use presence::Presence;
use requests::Requests;

/// Presence, and what tabs ask of the server without the hub's having a part in it.
#[derive(Default)]
pub(super) struct Relay {
    presence: Presence,
    requests: Requests,
}

impl Relay {
    /// Takes a tab's message for the server, to which the hub is known as `own`.
    ///
    /// # Errors
    /// The tab has asked too much.
    pub fn take_from_tab(
        &mut self,
        tab: &str,
        message: &Payload,
        own: Option<&str>,
        cx: &mut Context<'_>,
    ) -> Result<(), Error> {
        let head =
            Head::of(message).map_err(|reason| Error::new(codes::MESSAGE_BADLY_FORMED, reason))?;
        self.requests.check_room(tab)?;
        self.presence.check_room(tab)?;
        if !self.presence.take_from_tab(tab, &head, message, cx) {
            self.requests.take_from_tab(tab, head, message, own, cx);
        }
        Ok(())
    }

    /// Takes a message of the server.
    pub fn take_from_server(&mut self, message: &Payload, cx: &mut Context<'_>) {
        let Ok(head) = Head::of(message) else { return };
        if !self.presence.take_from_server(&head, message, cx) {
            self.requests.take_from_server(&head, message, cx);
        }
    }

    /// The connection to the server is lost.
    pub fn disconnected(&mut self) {
        self.presence.disconnected();
        self.requests.forget();
    }

    /// The connection to the server is being made: what was asked while there was none has reached
    /// nobody, what is asked from now on will.
    pub fn connecting(&mut self) {
        self.presence.forget_requests();
        self.requests.forget();
    }

    /// The connection to the server is there.
    pub fn connected(&mut self) {
        self.presence.connected();
    }

    /// A tab is gone, and its presence with it.
    pub fn release_all(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.presence.take_back_of(tab, cx);
        self.suspend(tab, cx);
    }

    /// The last tab has gone offline, and may be back at once.
    pub fn withdraw_soon(&mut self, tab: &str, now: Millis) {
        self.presence.withdraw_soon(tab, now);
    }

    /// When [`Relay::wake`] wants to be called.
    pub fn deadline(&self) -> Option<Millis> {
        self.presence.deadline()
    }

    pub fn wake(&mut self, cx: &mut Context<'_>) {
        self.presence.wake(cx);
    }

    /// The tab begins a new session: to it, that is a new connection, on which it asks again for all
    /// that it still wants.
    pub fn suspend(&mut self, tab: &str, cx: &mut Context<'_>) {
        self.presence.suspend(tab, cx);
        self.requests.suspend(tab);
    }
}
