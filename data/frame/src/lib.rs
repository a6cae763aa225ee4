//! A lazy frame: what is to be done with tables, as data.
//!
//! A [`Frame`] is a tree that says where rows come from and what becomes of them; an [`Expr`] says what a column is made
//! of. Both are plain values: they can be built in any language, stored in a task and sent to a cluster. Nothing here
//! knows an engine.
//!
//! ```
//! use cardoon_frame::{Frame, col, count_rows};
//!
//! let per_user = Frame::scan("logs/*.csv").group_by(["user_id"]).aggregate([("actions", count_rows())]);
//! let top = per_user.sort([col("actions").descending()]).limit(10);
//! assert_eq!(top.paths(), ["logs/*.csv"]);
//! ```

mod expr;
mod frame;
mod python;
mod scan;

pub use expr::{
    Aggregate, Binary, Expr, Function, Kind, SortKey, Unary, Value, Window, WindowFunction, col, count_rows,
    lit,
};
pub use frame::{Frame, Grouped, JoinKind, Named};
pub use python::{PythonCall, PythonFunction};
pub use scan::{BadRows, CsvOptions, Format, Scan};
