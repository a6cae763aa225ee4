//! The memory broker passes the suite, and the suite finds what is broken.

mod memory;
mod planted;
