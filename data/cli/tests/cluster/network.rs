//! Connections that break, and executors that cannot be reached.

use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Child;
use tokio::sync::watch;

use crate::deaths::{HEAVY, write_many};
use crate::rig::{Cluster, Home, PATIENCE, ended, pass, stderr, stdout};

/// Stands between an executor and its scheduler, and breaks all connections whenever it is told to.
async fn between(listener: TcpListener, scheduler: String, breaks: watch::Receiver<u32>) -> ! {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (mut from, _) = listener.accept().await.unwrap();
        let (scheduler, mut breaks) = (scheduler.clone(), breaks.clone());
        breaks.mark_unchanged();
        connections.spawn(async move {
            let mut to = TcpStream::connect(scheduler).await.unwrap();
            tokio::select! {
                _ = copy_bidirectional(&mut from, &mut to) => {}
                _ = breaks.changed() => {}
            }
        });
    }
}

async fn is_answered_when_connections_break(home: &Home, cluster: &Cluster, expected: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (breaking, breaks) = watch::channel(0);
    let asking = async {
        let _executor: Child =
            home.command(&["executor", "--scheduler", &address, "--threads", "2"]).spawn().unwrap();
        cluster.until(PATIENCE, |ids| ids.len() == 1).await;
        for wait in [150, 400, 700] {
            let query = home.ask(cluster, HEAVY);
            cluster.until_it_runs().await;
            pass(Duration::from_millis(wait)).await;
            breaking.send_modify(|count| *count += 1);
            assert_eq!(stdout(&ended(query).await), expected);
        }
    };
    tokio::select! {
        () = asking => {}
        never = between(listener, cluster.address.clone(), breaks) => match never {},
    }
}

#[tokio::test]
async fn a_connection_that_breaks_holds_no_query_up() {
    let home = Home::new();
    write_many(&home);
    let expected = home.sql(HEAVY, &[]).await;
    let cluster = home.fleet(0).await.cluster;
    is_answered_when_connections_break(&home, &cluster, &expected).await;
}

#[tokio::test]
async fn an_executor_that_cannot_be_reached_does_not_start() {
    let home = Home::new();
    let fleet = home.fleet(1).await;
    let address = &fleet.cluster.address;
    let output = home.run(&["executor", "--scheduler", address, "--host", "127.0.0.9"]).await;
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(stderr(&output).contains("does not reach this executor"), "{output:?}");
    assert_eq!(fleet.cluster.ids().await.len(), 1);
    assert_eq!(home.sql("select 1 as one", &["--cluster", address]).await, "one\n1\n");
}
