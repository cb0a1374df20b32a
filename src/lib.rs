//! All tabs of a web application share one ShareDB connection.
