use std::fmt;

/// Where the hub lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// In a SharedWorker, reached through its port.
    SharedWorker,
    /// In the same thread as the tab.
    Direct,
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Topology::SharedWorker => "shared-worker",
            Topology::Direct => "direct",
        })
    }
}

/// What the platform and the application make possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// The platform has SharedWorkers.
    pub shared_worker: bool,
    /// The platform has Web Locks, by which a hub notices that a tab is gone.
    pub locks: bool,
    /// The application has not set `useSharedWorker: false`.
    pub allowed: bool,
}

/// A topology and why it was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The topology.
    pub topology: Topology,
    /// Why, for people.
    pub reason: &'static str,
}

/// Takes the best topology there is.
///
/// ```
/// use tabmux::host::{Support, Topology, choose};
///
/// let choice = choose(Support { shared_worker: true, locks: false, allowed: true });
/// assert_eq!(choice.topology, Topology::Direct);
/// assert_eq!(choice.reason, "no Web Locks here: they need HTTPS or localhost");
/// ```
pub fn choose(support: Support) -> Choice {
    let (topology, reason) = match support {
        Support { allowed: false, .. } => (Topology::Direct, "useSharedWorker is false"),
        Support { shared_worker: false, .. } => {
            (Topology::Direct, "this platform has no SharedWorker")
        }
        Support { locks: false, .. } => {
            (Topology::Direct, "no Web Locks here: they need HTTPS or localhost")
        }
        _ => (Topology::SharedWorker, "this platform has SharedWorkers and Web Locks"),
    };
    Choice { topology, reason }
}
