//! What the command line accepts.

xflags::xflags! {
    /// The project's own commands. Each sets up what it needs, or says what to install.
    cmd xtask {
        /// Build the npm package into pkg/.
        cmd build {}

        /// Build, then write docs/api.md, the reference of the npm package.
        cmd docs {}

        /// Measure, and compare with what else there is.
        cmd bench {
            /// What to measure: store.
            required what: String
            /// Print the figures as JSON.
            optional --json
        }

        /// Build, then try the packed package in every set-up that people have, or only the ones named.
        cmd bundlers {
            /// A set-up, as tests/bundlers/fixtures.mjs names it.
            repeated setup: String
        }

        /// Build, then serve the demo until Ctrl-C.
        cmd demo {
            /// The port to listen on; 8080 when left out.
            optional --port port: u16
            /// Open the browser as well.
            optional --open
        }

        /// Build, then run ShareDB's own tests over every transport and codec.
        cmd conformance {
            /// Only this version of ShareDB.
            optional --version version: String
            /// Only this transport.
            optional --transport transport: String
            /// Only this codec.
            optional --codec codec: String
            /// Run ShareDB 7.0.0's in a tab of this browser (chromium or firefox), with the hubs in
            /// a SharedWorker; over message-port in structured-clone, unless told otherwise.
            optional --browser browser: String
            /// Only the tests whose full name matches this regular expression.
            optional --grep pattern: String
            /// Test the package that is in pkg/ as it is.
            optional --built
        }

        /// Live through many more crashes of the hub than the tests do.
        cmd soak {
            /// How many, at least; 1000000 when left out.
            optional --seeds seeds: u64
        }

        /// Build, then kill a browser again and again while its tabs type, and look for every op.
        cmd kill {
            /// The browser: chromium, firefox or webkit; chromium when left out.
            optional --engine engine: String
            /// How often; 50 times when left out.
            optional --count count: u32
            /// What an earlier run named as its TABMUX_SEED.
            optional --seed seed: u32
        }

        /// Run every test suite, or only the ones named, two at a time, and count what passed and
        /// failed.
        cmd test {
            /// A suite to run, as the summary names it.
            repeated suite: String
        }
    }
}
