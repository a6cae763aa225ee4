//! A task, its worker and the one who sends it, in one file.
//!
//! ```text
//! cargo run --release -p hello
//! ```

use std::time::Duration;

use cardoon::prelude::*;

#[cardoon::task]
async fn greet(name: String) -> String {
    format!("hello, {name}")
}

#[tokio::main]
async fn main() -> cardoon::Result<()> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "sqlite:hello.db".into());
    let app = App::connect(&url).await?;

    let handle = app.send(greet::signature("world".into())).await?;
    let answer = handle.wait(Duration::from_secs(30));

    // Here the worker stops when the answer is there. Usually it has a process of its own, and ends with `.run()`.
    let mut greeting = None;
    let worker = Worker::builder(&app).task::<greet>().concurrency(2);
    worker.run_until(async { greeting = Some(answer.await) }).await?;

    if let Some(greeting) = greeting {
        show(&greeting?);
    }
    app.close(Duration::from_secs(5)).await
}

#[expect(clippy::print_stdout, reason = "the greeting is what this program is for")]
fn show(greeting: &str) {
    println!("{greeting}");
}
