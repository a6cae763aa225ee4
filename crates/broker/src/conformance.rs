//! The conformance suite of the port.
