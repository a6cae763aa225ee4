//! How often each user did something, over a folder of logs that may be larger than the memory.
//!
//! ```text
//! cargo run --release --manifest-path data/Cargo.toml -p logs -- 'logs/*.csv'
//! ```

use cardoon_engine::{Engine, Settings};
use cardoon_frame::{Frame, col, count_rows};
use datafusion::arrow::util::pretty::pretty_format_batches;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let logs = std::env::args().nth(1).unwrap_or_else(|| "logs/*.csv".into());
    let busiest = Frame::scan(logs)
        .group_by(["user_id"])
        .aggregate([("actions", count_rows())])
        .sort([col("actions").descending(), col("user_id").ascending()])
        .limit(5);

    let engine = Engine::new(Settings::new())?;
    let (_, rows) = engine.collect(&busiest).await?;
    show(&pretty_format_batches(&rows)?.to_string());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn show(table: &str) {
    println!("{table}");
}
