//! What the command line accepts.

xflags::xflags! {
    /// The project's own commands. Each sets up what it needs, or says what to install.
    cmd xtask {
        /// Build the npm package into pkg/.
        cmd build {}

        /// Build, then serve the demo until Ctrl-C.
        cmd demo {
            /// The port to listen on; 8080 when left out.
            optional --port port: u16
            /// Open the browser as well.
            optional --open
        }

        /// Run every test suite, or only the ones named, and count what passed and failed.
        cmd test {
            /// A suite to run, as the summary names it.
            repeated suite: String
        }
    }
}
