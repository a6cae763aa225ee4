use std::collections::VecDeque;
use std::io;

use cardoon_runtime::{FineInstant, FineTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::line::{Flow, Line};
use super::switch::Order;

/// What is read at once.
const CHUNK: usize = 64 * 1024;
/// What may be on its way in one direction; more waits at its sender.
const IN_FLIGHT: usize = 4 * 1024 * 1024;

/// Carries the bytes of one connection both ways as it is ordered, until both sides have ended it or it is cut.
pub(super) async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    orders: watch::Receiver<Order>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let cut = until_cut(orders.clone());
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let there = Direction::new(from_client, to_server, orders.clone())?;
    let back = Direction::new(from_server, to_client, orders)?;
    let carried = tokio::select! {
        carried = async { tokio::try_join!(there.carry(), back.carry()) } => carried.map(drop),
        () = cut => Err(io::ErrorKind::ConnectionReset.into()),
    };
    if carried.is_err() {
        // Dropped like this, both sides get a reset.
        client.set_zero_linger()?;
        server.set_zero_linger()?;
    }
    carried
}

async fn until_cut(mut orders: watch::Receiver<Order>) {
    if orders.wait_for(|order| *order == Order::Cut).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// One way of a connection.
struct Direction<'a> {
    from: ReadHalf<'a>,
    to: WriteHalf<'a>,
    orders: watch::Receiver<Order>,
    timer: FineTimer,
    under_way: VecDeque<(FineInstant, Vec<u8>)>,
    bytes_under_way: usize,
    /// When the line is free for the next byte.
    free_at: FineInstant,
    has_ended: bool,
}

/// What comes next on a way.
enum Next {
    Read(io::Result<Vec<u8>>),
    Due,
    NewOrder,
}

impl<'a> Direction<'a> {
    fn new(from: ReadHalf<'a>, to: WriteHalf<'a>, orders: watch::Receiver<Order>) -> io::Result<Self> {
        Ok(Self {
            from,
            to,
            orders,
            timer: FineTimer::new()?,
            under_way: VecDeque::new(),
            bytes_under_way: 0,
            free_at: FineInstant::now(),
            has_ended: false,
        })
    }

    async fn carry(mut self) -> io::Result<()> {
        loop {
            let line = self.line();
            if self.has_ended && self.under_way.is_empty() && line.flow == Flow::Open {
                return self.to.shutdown().await;
            }
            match self.next(line).await? {
                Next::Read(bytes) => self.take(line, bytes?),
                Next::Due => self.deliver().await?,
                Next::NewOrder => {}
            }
        }
    }

    fn line(&mut self) -> Line {
        match *self.orders.borrow_and_update() {
            Order::Carry(line) => line,
            Order::Cut => Line::HELD,
        }
    }

    async fn next(&mut self, line: Line) -> io::Result<Next> {
        let may_read = !self.has_ended && self.bytes_under_way < IN_FLIGHT && line.flow != Flow::Held;
        let due = self.under_way.front().map(|(due, _)| *due).filter(|_| line.flow == Flow::Open);
        tokio::select! {
            bytes = read(&mut self.from), if may_read => Ok(Next::Read(bytes)),
            slept = sleep(&self.timer, due), if due.is_some() => slept.map(|()| Next::Due),
            changed = self.orders.changed() => match changed {
                Ok(()) => Ok(Next::NewOrder),
                // Whoever gives the orders is gone, and so is the proxy.
                Err(_) => std::future::pending().await,
            },
        }
    }

    fn take(&mut self, line: Line, bytes: Vec<u8>) {
        self.has_ended |= bytes.is_empty();
        if bytes.is_empty() || line.flow == Flow::Lost {
            return;
        }
        let sent = self.free_at.max(FineInstant::now()).plus(line.occupied_by(bytes.len()));
        self.free_at = sent;
        self.bytes_under_way += bytes.len();
        self.under_way.push_back((sent.plus(line.delay), bytes));
    }

    async fn deliver(&mut self) -> io::Result<()> {
        let Some((_, bytes)) = self.under_way.pop_front() else { return Ok(()) };
        self.bytes_under_way -= bytes.len();
        self.to.write_all(&bytes).await
    }
}

async fn read(from: &mut ReadHalf<'_>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(CHUNK);
    from.read_buf(&mut bytes).await?;
    Ok(bytes)
}

async fn sleep(timer: &FineTimer, due: Option<FineInstant>) -> io::Result<()> {
    match due {
        Some(due) => timer.sleep_until(due).await,
        None => std::future::pending().await,
    }
}
