/// How far the upstream subscription is.
#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    None,
    /// The server is asked for it, or will be as soon as it can be reached.
    Asked,
    Live,
    /// The connection was lost, and the subscription with it; the server is asked with the next.
    Lost,
    /// The server has refused it, and is asked again with the next connection.
    Refused,
}

/// The hub's own subscription to a document.
#[derive(Default)]
pub(in crate::hub::document) struct Subscription(State);

impl Subscription {
    /// Whether nobody wants it.
    pub fn is_none(&self) -> bool {
        self.0 == State::None
    }

    pub fn is_live(&self) -> bool {
        self.0 == State::Live
    }

    pub fn is_lost(&self) -> bool {
        self.0 == State::Lost
    }

    pub fn is_refused(&self) -> bool {
        self.0 == State::Refused
    }

    /// A tab wants it. Returns whether the server is to be asked.
    pub fn want(&mut self) -> bool {
        let asks = matches!(self.0, State::None | State::Refused);
        if asks {
            self.0 = State::Asked;
        }
        asks
    }

    /// Nobody wants it any more. Returns whether the server is to be told.
    pub fn end(&mut self) -> bool {
        std::mem::take(&mut self.0) != State::None
    }

    /// There is a connection; `is_wanted`: a tab still wants it. Returns whether the server is to be
    /// asked.
    pub fn connect(&mut self, is_wanted: bool) -> bool {
        if self.is_lost() || (self.is_refused() && is_wanted) {
            self.0 = State::Asked;
        }
        self.0 == State::Asked
    }

    /// The connection is lost.
    pub fn disconnect(&mut self) {
        if self.is_live() {
            self.0 = State::Lost;
        }
    }

    /// The server has answered; without a refusal, a subscription that is not live is lost again, which
    /// is told next.
    pub fn answer(&mut self, is_live: bool, is_refused: bool) {
        if is_live {
            self.0 = State::Live;
        } else if is_refused {
            self.0 = State::Refused;
        }
    }
}
